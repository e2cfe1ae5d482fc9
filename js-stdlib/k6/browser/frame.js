// Frames: their documents, the worlds functions run in, navigation and waiting for it. An expression, called with what the parts
// share.
(env) => {
const { call, primordials } = env;
const { BrowserError, hide, includes, map, messageOf, nothing, push, timedOut, timeoutOf, within, without, wrapped } = env.load('session');
const { ExecutionContext, WORLD, isGone } = env.load('execution');
const { Date, DatePrototypeGetTime, ObjectKeys, RegExp, RegExpPrototypeExec, String } = primordials;

const now = () => call(DatePrototypeGetTime, new Date());

const STATES = { __proto__: null, load: 'load', domcontentloaded: 'DOMContentLoaded', networkidle: 'networkIdle' };

// True for an address that is the text, or that the regular expression or the glob finds.
function matches(pattern, text) {
  if (pattern instanceof RegExp) return matchesExpression(pattern, text);
  const given = String(pattern);
  return given === text || (isGlob(given) && matchesExpression(new RegExp(`^${globSource(given)}$`), text));
}
// An address is not a function's business: nobody would ever be found by its text.
function checkPattern(pattern) {
  if (typeof pattern === 'function') throw new GoError('an address is found by a text, a glob or a regular expression, not by a function');
  return pattern;
}
const isGlob = (text) => includes(text, '*') || includes(text, '{');
// A glob as the source of a regular expression: ** is anything, * all but slashes, {a,b} one of them; a backslash takes the next character as it is.
function globSource(text) {
  // Braces that do not match are some of the address.
  const hasGroups = areBalanced(text);
  let source = '';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '*') {
      const isStart = at === 0 || text[at - 1] === '/';
      let stars = 1;
      while (text[at + 1] === '*') {
        stars++;
        at++;
      }
      if (stars > 1 && isStart && text[at + 1] === '/') {
        source += '(?:.*/)?';
        at++;
      } else source += stars > 1 ? '.*' : '[^/]*';
    } else if (char === '{' && hasGroups) {
      depth++;
      source += '(?:';
    } else if (char === '}' && depth > 0) {
      depth--;
      source += ')';
    } else if (char === ',' && depth > 0) source += '|';
    else source += quoted(char === '\\' && at + 1 < text.length ? text[++at] : char);
  }
  return source;
}
function areBalanced(text) {
  let depth = 0;
  for (let at = 0; at < text.length && depth >= 0; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}') depth--;
  }
  return depth === 0;
}
const quoted = (char) => (includes('.*+?^${}()|[]\\/', char) ? `\\${char}` : char);
function matchesExpression(pattern, text) {
  pattern.lastIndex = 0;
  return call(RegExpPrototypeExec, pattern, text) !== null;
}
const shown = (pattern) => (pattern instanceof RegExp ? `"${String(pattern)}"` : `"'${String(pattern)}'"`);

// The state that is waited for, as options name it.
function stateOf(given, context) {
  const name = nothing(given) ? 'load' : String(given);
  if (STATES[name] === undefined) {
    throw context(`invalid lifecycle event: "${name}"; must be one of: load, domcontentloaded, networkidle`);
  }
  return name;
}

class Frame {
  constructor(page, id, parent, session) {
    hide(this, {
      ofPage: page,
      id,
      parent,
      // That of the target its document is in.
      session,
      link: page.link,
      label: '',
      address: '',
      children: [],
      isGone: false,
      // It came back with its page, which does not say so itself.
      isKept: false,
      // The document: its number, and which states it has reached.
      loaderId: '',
      reached: { __proto__: null },
      contexts: { __proto__: null },
      watchers: [],
    });
  }

  // What the page's events say -------------------------------------------------------------------------------------

  watch(watcher) {
    push(this.watchers, watcher);
    return () => { this.watchers = without(this.watchers, watcher); };
  }

  tell(event) {
    const watchers = this.watchers;
    for (let at = 0; at < watchers.length; at++) watchers[at](event);
    this.ofPage.tellOf(this, event);
  }

  // A new document is there, or one that was kept.
  committed({ loaderId, name, url, urlFragment, unreachableUrl }, isRestored, session) {
    if (this.session !== session) {
      // It is in another target.
      this.#dropContexts();
      this.session = session;
    }
    this.address = `${unreachableUrl ?? url}${urlFragment ?? ''}`;
    this.label = name ?? '';
    if (this.loaderId !== loaderId) {
      this.loaderId = loaderId;
      this.reached = { __proto__: null };
    }
    if (isRestored) this.restored();
    const children = this.children;
    for (let at = 0; at < children.length; at++) {
      if (!isRestored || !children[at].isKept) this.ofPage.detached(children[at].id);
      children[at].isKept = false;
    }
    this.tell({ kind: 'committed', loaderId, isFailed: unreachableUrl !== undefined });
  }

  #dropContexts() {
    const names = ObjectKeys(this.contexts);
    for (let at = 0; at < names.length; at++) this.contexts[names[at]].isDestroyed = true;
    this.contexts = { __proto__: null };
  }

  // The document was there before.
  restored() { this.reached = { __proto__: null, load: true, DOMContentLoaded: true, networkIdle: true }; }

  // The document has reached a state.
  reach(loaderId, name) {
    if (name === 'init' || this.loaderId === '') {
      if (this.loaderId !== loaderId) this.reached = { __proto__: null };
      this.loaderId = loaderId;
      if (name === 'init') return;
    }
    if (loaderId !== this.loaderId) return;
    this.reached[name] = true;
    this.tell({ kind: 'reached' });
  }

  movedWithin(url) {
    this.address = url;
    this.tell({ kind: 'within' });
  }

  detach() {
    if (this.isGone) return;
    this.isGone = true;
    this.#dropContexts();
    if (this.parent !== undefined) this.parent.children = without(this.parent.children, this);
    this.tell({ kind: 'detached' });
  }

  // Worlds -----------------------------------------------------------------------------------------------------------

  addContext(world, id, session, uniqueId) {
    const context = new ExecutionContext(this, id, world, session, uniqueId);
    this.contexts[world] = context;
    this.tell({ kind: 'context' });
    return context;
  }

  dropContext(context) {
    context.isDestroyed = true;
    if (this.contexts[context.world] === context) delete this.contexts[context.world];
  }

  // The world 'main' of the page's scripts, or 'utility' of ours; where there is none, the one after a navigation.
  async context(world) {
    const known = this.contexts[world];
    if (known !== undefined) return known;
    if (!this.session.isOpen) throw new BrowserError('Target page, context or browser has been closed');
    if (this.isGone) throw new BrowserError('frame was detached');
    if (world === 'utility') {
      try {
        const { session } = this;
        const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: this.id, worldName: WORLD, grantUniveralAccess: true });
        if (this.session === session) return this.contexts[world] ?? this.ofPage.addContext(this, world, executionContextId, session);
      } catch (error) {
        if (this.isGone || !this.session.isOpen) throw error;
      }
    }
    return this.link.wait((good, bad) => {
      const look = (event) => {
        if (this.contexts[world] !== undefined) good(this.contexts[world]);
        else if (event?.kind === 'detached') bad(new BrowserError('frame was detached'));
      };
      // It may have come meanwhile.
      look();
      return this.watch(look);
    }, this.ofPage.timeout(), () => new BrowserError('waiting for the execution context of a frame: timed out'));
  }

  // Runs a function in a world; in the next document once more, if this one goes meanwhile. Only for what may run twice.
  async run(world, text, args, options) {
    for (;;) {
      const context = await this.context(world);
      try {
        return await context.run(text, args, options);
      } catch (error) {
        if (!isGone(error) || this.isGone || !this.session.isOpen) throw error;
        this.dropContext(context);
      }
    }
  }

  // Waiting ----------------------------------------------------------------------------------------------------------

  hasReached(state) {
    if (this.reached[STATES[state]] !== true) return false;
    // A page is idle when its frames are.
    if (state !== 'networkidle') return true;
    for (let at = 0; at < this.children.length; at++) if (!this.children[at].hasReached(state)) return false;
    return true;
  }

  // Resolves when `holds()`, which is asked whenever something happens to the frame.
  until(holds, millis, late, scope) {
    return this.link.wait((good, bad) => {
      if (scope !== undefined) scope.cancel = bad;
      if (this.isGone) return void bad(new BrowserError('Navigating frame was detached'));
      const look = (event) => {
        if (event?.kind === 'detached') return bad(new BrowserError('Navigating frame was detached'));
        try {
          if (holds(event)) good();
        } catch (error) {
          bad(error);
        }
      };
      const ending = this.ofPage.watchFrames(this, look);
      look();
      return ending;
    }, millis, late);
  }

  async goto(url, options) {
    return within(`navigating frame to "${gotoText(url)}"`, navigate(this, gotoText(url), gotoOptions(this, url, options)));
  }

  async waitForNavigation(options) {
    return awaitNavigation(this, { ...navigationOptions(this, options, 'waiting for navigation'), takesCaused: true }, 'waiting for navigation');
  }

  async waitForURL(url, options) {
    const context = `waiting for navigation to URL matching ${shown(checkPattern(url))}`;
    const read = navigationOptions(this, options, context);
    if (matches(url, this.address)) {
      return this.until(() => this.hasReached(read.state), read.millis, () => timedOut(context, read.millis));
    }
    await awaitNavigation(this, { ...read, url }, context);
  }

  async waitForLoadState(state, options) {
    const context = `waiting for load state "${nothing(state) ? 'load' : String(state)}"`;
    const name = stateOf(state, (text) => new BrowserError(`unmarshaling wait for load state "${String(state)}": ${text}`));
    const millis = timeoutOf(options, this.ofPage.navigationTimeout());
    await this.until(() => this.hasReached(name), millis, () => new BrowserError(`${context}: context deadline exceeded`));
  }

  async waitForTimeout(millis) { await this.link.pause(primordials.Number(millis)); }

  async waitForFunction(fn, options, ...args) {
    if (nothing(fn)) throw new GoError('waitForFunction requires a page function');
    const millis = timeoutOf(options, this.ofPage.timeout());
    const polling = nothing(options?.polling) ? 'raf' : options.polling;
    const interval = primordials.Number(polling);
    if (polling !== 'raf' && polling !== 'mutation' && !(interval > 0)) {
      throw new GoError(`page waitForFunction: parsing waitForFunction options: wrong polling option value: "${String(polling)}"; possible values: "raf", "mutation" or number`);
    }
    const text = String(fn);
    const context = 'waiting for function, polling';
    const poll = async (watch) => {
      for (;;) {
        const world = await this.context('main');
        try {
          return await world.evaluate(POLL(text), pollArguments(typeof fn === 'function', typeof polling === 'string' ? polling : interval, millis, args), { byValue: false, isFree: true });
        } catch (error) {
          if (watch.isOver || !isGone(error) || this.isGone || !this.session.isOpen) throw error;
          this.dropContext(world);
        }
      }
    };
    const watch = { isOver: false };
    try {
      return await this.link.limit(poll(watch), millis, () => timedOut(context, millis));
    } catch (error) {
      throw error.isThrown ? wrapped(context, error) : error;
    } finally {
      watch.isOver = true;
    }
  }

  // Contents ---------------------------------------------------------------------------------------------------------

  content() { return this.run('utility', `() => {
    const doctype = document.doctype === null ? '' : new XMLSerializer().serializeToString(document.doctype);
    return doctype + (document.documentElement === null ? '' : document.documentElement.outerHTML);
  }`); }

  title() { return this.run('utility', '() => document.title'); }

  async setContent(html, options) {
    const state = stateOf(options?.waitUntil, (text) => new BrowserError(`parsing set content options: ${text}`));
    const millis = timeoutOf(options, this.ofPage.navigationTimeout());
    const written = this.run('utility', SET_CONTENT, [String(html), state]);
    await this.link.limit(written, millis, () => timedOut('setting content', millis));
  }

  async evaluate(fn, ...args) { return evaluateIn(this, fn, args, true, 'evaluating JS'); }
  async evaluateHandle(fn, ...args) { return evaluateIn(this, fn, args, false, 'evaluating JS handle'); }

  // What a script asks -----------------------------------------------------------------------------------------------

  childFrames() { return map(this.children, (child) => child); }
  isDetached() { return this.isGone; }
  name() { return this.label; }
  page() { return this.ofPage; }
  parentFrame() { return this.parent ?? null; }
  url() { return this.address; }

  async frameElement() {
    if (this.parent === undefined) throw new BrowserError('getting frame element: the main frame has none');
    const context = await this.parent.context('main');
    const { backendNodeId } = await context.session.send('DOM.getFrameOwner', { frameId: this.id });
    const { object } = await context.session.send('DOM.resolveNode', { backendNodeId, executionContextId: context.id });
    return context.taken(object, { byValue: false });
  }
}

// What a script gives to be evaluated, in the page's own world.
async function evaluateIn(frame, fn, args, byValue, label) {
  if (nothing(fn)) throw new GoError('evaluate requires a page function');
  try {
    const context = await frame.context('main');
    return await context.evaluate(fn, args, { byValue });
  } catch (error) {
    throw wrapped(label, error);
  }
}

const pollArguments = (isFunction, polling, millis, args) => {
  const all = [isFunction, polling, millis];
  for (let at = 0; at < args.length; at++) push(all, args[at]);
  return all;
};

// Asks a predicate in the page until it says something true.
const POLL = (text) => `async (isFunction, polling, millis, ...args) => {
  const last = millis > 0 ? performance.now() + millis + 1000 : Infinity;
  const given = (${text}\n);
  const ask = () => (isFunction || typeof given === 'function' ? given(...args) : eval(${primordials.JSONStringify(text)}));
  const first = await ask();
  if (first) return first;
  return new Promise((resolve, reject) => {
    const attempt = async (again) => {
      if (performance.now() > last) { reject(new Error('nobody waits any more')); return true; }
      try {
        const value = await ask();
        if (value) { resolve(value); return true; }
        if (again) again();
      } catch (error) { reject(error); return true; }
      return false;
    };
    if (polling === 'raf') {
      const turn = () => attempt(() => requestAnimationFrame(turn));
      requestAnimationFrame(turn);
    } else if (polling === 'mutation') {
      const observer = new MutationObserver(async () => { if (await attempt()) observer.disconnect(); });
      observer.observe(document, { childList: true, subtree: true, attributes: true, characterData: true });
    } else {
      const turn = () => attempt(() => setTimeout(turn, polling));
      setTimeout(turn, polling);
    }
  });
}`;

const SET_CONTENT = `async (html, state) => {
  document.open();
  document.write(html);
  document.close();
  const isThere = () => document.readyState === 'complete' || (state === 'domcontentloaded' && document.readyState === 'interactive');
  if (!isThere()) await new Promise((resolve) => {
    const look = () => { if (isThere()) resolve(); };
    document.addEventListener('readystatechange', look);
    addEventListener('load', resolve);
  });
  if (state !== 'networkidle') return;
  let count = -1;
  for (;;) {
    const now = performance.getEntriesByType('resource').length;
    if (now === count) return;
    count = now;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}`;

const gotoText = (url) => (nothing(url) ? '' : String(url));

function gotoOptions(frame, url, options) {
  const state = stateOf(options?.waitUntil, (text) => new GoError(`parsing page navigation options to "${gotoText(url)}": parsing goto options: ${text}`));
  return { state, millis: timeoutOf(options, frame.ofPage.navigationTimeout()), referrer: nothing(options?.referer) ? frame.ofPage.referrer() : String(options.referer) };
}

function navigationOptions(frame, options, context) {
  const state = stateOf(options?.waitUntil, (text) => new BrowserError(`parsing wait for navigation options: ${text}`));
  const read = { state, millis: timeoutOf(options, frame.ofPage.navigationTimeout()) };
  if (!nothing(options?.url)) read.url = checkPattern(options.url);
  return read;
}

// Navigates and waits; a promise of the response, or null where there is none.
async function navigate(frame, url, { state, millis, referrer }) {
  const context = `navigating to "${url}"`;
  const late = () => timedOut(context, millis);
  const scope = {};
  const work = async () => {
    let begun;
    try {
      const params = { url, frameId: frame.id };
      if (referrer !== undefined) params.referrer = referrer;
      if (frame === frame.ofPage.main) await frame.ofPage.beforeLeaving();
      if (scope.isOver) return null;
      // Over the page: a target of the frame's own may not be there any more when it has begun.
      begun = await frame.ofPage.session.send('Page.navigate', params, true);
    } catch (error) {
      throw error.code === undefined ? error : new BrowserError(`${context}: ${messageOf(error)} (${error.code})`);
    }
    if (begun.errorText !== undefined && begun.errorText !== '') {
      throw new BrowserError(begun.errorText === 'net::ERR_ABORTED' ? 'net::ERR_ABORTED; maybe frame was detached?' : begun.errorText);
    }
    if (begun.loaderId === undefined || scope.isOver) return null;
    // Where the page goes on by itself, the last document counts.
    let isThere = frame.loaderId === begun.loaderId;
    await frame.until((event) => {
      if (event?.kind === 'committed' || frame.loaderId === begun.loaderId) isThere = true;
      return isThere && frame.hasReached(state);
    }, 0, late, scope);
    return frame.ofPage.network.responseOf(begun.loaderId);
  };
  try {
    return await frame.link.limit(work(), millis, late);
  } catch (error) {
    scope.isOver = true;
    if (scope.cancel !== undefined) scope.cancel(error);
    throw error;
  }
}

// Waits for the next navigation of a frame, and for a state of the document it leads to. With `takesCaused` also the one that
// the action before has led to will do.
async function awaitNavigation(frame, { state, millis, url, scope, takesCaused }, context) {
  let found;
  const { caused } = frame;
  hide(frame, { caused: undefined, navigationWaits: (frame.navigationWaits ?? 0) + 1 });
  if (takesCaused && caused !== undefined && caused.loaderId === frame.loaderId && now() < caused.until && (url === undefined || matches(url, frame.address))) found = caused;
  const late = () => timedOut(context, millis);
  try {
    await frame.until((event) => {
      if (event?.kind === 'committed' && !event.isFailed && (url === undefined || matches(url, frame.address))) found = { loaderId: event.loaderId };
      if (event?.kind === 'within' && (url === undefined || matches(url, frame.address))) found ??= {};
      return found !== undefined && (found.loaderId === undefined || frame.hasReached(state));
    }, millis, late, scope);
  } finally {
    frame.navigationWaits--;
  }
  return found.loaderId === undefined ? null : frame.ofPage.network.responseOf(found.loaderId);
}

return { Frame, awaitNavigation, checkPattern, matches, stateOf };
}
