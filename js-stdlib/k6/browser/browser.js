// Browsers: the one of the run, and those that a script connects to. An expression, called with what the parts share.
(env) => {
const { native, call, primordials } = env;
const { BrowserError, Link, messageOf, nothing, push, quiet, select, then, wrapped, without } = env.load('session');
const { String, StringPrototypeIndexOf, StringPrototypeSlice } = primordials;

// Why the script can't have a browser.
function refused() {
  const reason = native.refuse();
  return reason === undefined ? undefined : new BrowserError(reason);
}

class Browser {
  #url;
  #link;
  #about;
  #contexts = [];
  #isClosed = false;
  // What scripts have of it.
  face;

  // The browser of the run, or the one at an address.
  constructor(url) {
    this.#url = url;
  }

  // The link of this iteration: that of an earlier one is over.
  get #open() {
    if (this.#link !== undefined && this.#link.isOpen) return this.#link;
    this.#link = undefined;
    this.#contexts = [];
  }

  #adopt(resource) {
    const link = (this.#link = new Link(resource));
    this.#about ??= native.about(resource).result;
    this.#contexts = [];
    link.onAttached = (params, parent) => this.#attached(link, params, parent);
    return link;
  }

  #attached(link, params, parent) {
    const { sessionId, targetInfo } = params;
    const session = link.session(sessionId);
    const contexts = this.#contexts;
    for (let at = 0; at < contexts.length; at++) {
      if (contexts[at].id === targetInfo.browserContextId && contexts[at].adopt(session, targetInfo, parent)) return;
    }
    quiet(session.send('Runtime.runIfWaitingForDebugger'));
  }

  async #connect() {
    if (this.#isClosed) throw new BrowserError('the browser has been closed');
    const open = this.#open;
    if (open !== undefined) return open;
    if (this.#url === undefined) {
      const refusal = refused();
      if (refusal !== undefined) throw refusal;
    }
    const resource = await native.connect(this.#url ?? '');
    if (typeof resource === 'string') throw new BrowserError(`connecting to Chromium over CDP: ${resource}`);
    // Somebody else may have been faster.
    return this.#open ?? this.#adopt(resource);
  }

  connect() { return this.#connect(); }
  get isOwn() { return this.#url !== undefined; }

  // What the browser says about itself; known at once, as scripts ask for it without waiting.
  #described() {
    if (this.#about !== undefined) return this.#about;
    const refusal = refused();
    if (refusal !== undefined) throw refusal;
    this.#adopt(native.connectNow());
    return this.#about;
  }

  get #active() {
    if (this.#open === undefined) return undefined;
    return select(this.#contexts, (context) => !context.isClosed)[0];
  }

  drop(context) { this.#contexts = without(this.#contexts, context); }

  async closeContext() {
    if (this.#url === undefined) {
      const refusal = refused();
      if (refusal !== undefined) throw refusal;
    }
    const context = this.#active;
    if (context === undefined) throw new BrowserError('cannot close context as none is active in browser');
    await context.close();
  }

  context() {
    if (this.#url === undefined) {
      const refusal = refused();
      if (refusal !== undefined) throw refusal;
    }
    return this.#active ?? null;
  }

  isConnected() {
    if (this.#isClosed) return false;
    if (this.#url !== undefined) return this.#open !== undefined;
    const refusal = refused();
    if (refusal !== undefined) throw refusal;
    return this.#link === undefined || this.#link.ended === undefined;
  }

  async newContext(options) {
    const link = await this.#connect();
    if (this.#active !== undefined) throw new BrowserError('existing browser context must be closed before creating a new one');
    const { BrowserContext, readOptions } = env.load('context');
    const read = readOptions(options);
    const context = new BrowserContext(this, link, read, this.#about);
    // Known from the start, so that a second one is refused while this one is made.
    push(this.#contexts, context);
    try {
      await context.create();
    } catch (error) {
      this.drop(context);
      throw wrapped('new context', error);
    }
    return context;
  }

  async newPage(options) {
    let context;
    try {
      context = await this.newContext(options);
    } catch (error) {
      const refusal = this.#url === undefined ? refused() : undefined;
      throw refusal ?? wrapped('new page', error);
    }
    return context.newPage();
  }

  userAgent() { return this.#described().userAgent; }

  version() {
    const product = this.#described().product;
    return call(StringPrototypeSlice, product, call(StringPrototypeIndexOf, product, '/') + 1);
  }

  async close() {
    if (this.#url === undefined) throw new BrowserError('only a browser that the script has connected to can be closed');
    this.#isClosed = true;
    const link = this.#open;
    if (link !== undefined) await link.close();
  }
}

// What a script has of a browser: `close` only where it has connected to one itself.
function faceOf(browser) {
  if (browser.face !== undefined) return browser.face;
  const face = (browser.face = {
    closeContext: () => browser.closeContext(),
    context: () => browser.context(),
    isConnected: () => browser.isConnected(),
    newContext: (options) => browser.newContext(options),
    newPage: (options) => browser.newPage(options),
    userAgent: () => browser.userAgent(),
    version: () => browser.version(),
  });
  if (browser.isOwn) face.close = () => browser.close();
  return face;
}

async function connectOverCDP(url) {
  const refusal = native.inInit();
  if (refusal !== undefined) throw new BrowserError(refusal);
  const address = nothing(url) ? '' : String(url);
  if (address === '') throw new BrowserError('connecting to Chromium over CDP: WebSocket endpoint cannot be empty');
  const browser = new Browser(address);
  await browser.connect();
  return faceOf(browser);
}

const browser = new Browser();
return { browser, connectOverCDP, faceOf };
}
