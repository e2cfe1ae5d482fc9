// Pages. An expression, called with what the parts share.
(env) => {
const { native, bind, call, primordials } = env;
const { BrowserError, all, guarded, hide, includes, map, messageOf, nothing, push, quiet, span, startsWith, then, timedOut, timeoutOf, within, without } = env.load('session');
const { WORLD, handleOf } = env.load('execution');
const { Frame, awaitNavigation, checkPattern, matches, stateOf } = env.load('frame');
const { Network } = env.load('network');
const { Targets } = env.load('frame_targets');
const { JSONStringify, Number, ObjectDefineProperty, ObjectKeys, Promise, PromiseResolve, String, StringPrototypeSlice, StringPrototypeToUpperCase } = primordials;

const VITALS_BINDING = 'volleyReportVital';
const CONTEXTS = ['"isDefault":true', WORLD];
const LIFECYCLE = ['"name":"init"', '"name":"load"', '"name":"DOMContentLoaded"', '"name":"networkIdle"'];
const EVENTS = { __proto__: null, console: true, request: true, response: true, requestfinished: true, requestfailed: true, metric: true };
// How long a page may take to report its last vitals, when it is closed and when it is left for another, and to go.
const VITALS_MILLIS = 5000;
const LEAVING_MILLIS = 1000;
const CLOSE_MILLIS = 5000;

const endsWith = (text, end) => call(StringPrototypeSlice, text, text.length - end.length) === end;

class Page {
  constructor(context, session, target) {
    hide(this, {
      ofContext: context,
      session,
      link: session.link,
      targetId: target.targetId,
      openedBy: target.openerId,
      byId: { __proto__: null },
      // Worlds of the page's target whose frames are not known.
      unplaced: [],
      watchers: [],
      handlers: { __proto__: null },
      workerList: [],
      millis: undefined,
      navigationMillis: undefined,
      headers: undefined,
      viewport: undefined,
      media: undefined,
      hasClosed: false,
      vitalsWorld: undefined,
      lazies: {},
    });
    hide(this, { targets: new Targets(this) });
    this.main = this.#addFrame(target.targetId, undefined, session);
    hide(this, { main: this.main, network: new Network(this) });
    session.whenEnded(() => this.#ended());
    this.#listen();
    hide(this, { ready: this.#prepare() });
    quiet(this.ready);
  }

  // What the browser says --------------------------------------------------------------------------------------------

  #listen() {
    const { targets } = this;
    targets.on('Runtime.executionContextCreated', ({ context }, session) => this.#worldMade(context, session), CONTEXTS);
    targets.on('Runtime.executionContextDestroyed', ({ executionContextId }, session) => this.#worldGone(executionContextId, session));
    targets.on('Runtime.executionContextsCleared', (_, session) => {
      this.dropWorlds(session);
      if (session === this.session) this.unplaced = [];
    });
    targets.on('Page.frameAttached', ({ frameId, parentFrameId }, session) => {
      if (this.byId[frameId] === undefined) this.#addFrame(frameId, this.byId[parentFrameId], session);
    });
    targets.on('Page.frameNavigated', ({ frame, type }, session) => {
      if (type === 'BackForwardCacheRestore') this.#restored(frame, session);
      else this.#committed(frame, false, session);
    });
    targets.on('Page.navigatedWithinDocument', ({ frameId, url }) => this.byId[frameId]?.movedWithin(url));
    targets.on('Page.frameDetached', ({ frameId, reason }) => {
      if (reason !== 'swap') this.detached(frameId);
    });
    targets.on('Page.lifecycleEvent', ({ frameId, loaderId, name }, session) => {
      const frame = this.byId[frameId];
      // A target of its own speaks of the empty document it begins with, too.
      if (frame?.session === session) frame.reach(loaderId, name);
    }, LIFECYCLE);
    // Nobody is there to answer.
    targets.on('Page.javascriptDialogOpening', ({ type }, session) => {
      quiet(session.send('Page.handleJavaScriptDialog', { accept: type === 'alert' || type === 'beforeunload' }));
    });
    targets.on('Inspector.targetCrashed', (_, session) => {
      if (session !== this.session) return this.#frameCrashed(session);
      hide(this, { hasCrashed: true });
      session.end();
    });
  }

  #addFrame(id, parent, session) {
    const frame = new Frame(this, id, parent, session);
    this.byId[id] = frame;
    if (parent !== undefined) push(parent.children, frame);
    return frame;
  }

  #committed(frame, isRestored, session) {
    const known = this.byId[frame.id] ?? this.#addFrame(frame.id, this.byId[frame.parentId], session);
    this.network.moved(frame.loaderId, session);
    known.committed(frame, isRestored, session);
  }

  // A page that was kept is back; of the frames in it the browser says nothing by itself but which worlds they have.
  #restored(frame, session) {
    const back = (reply) => {
      const { unplaced } = this;
      this.unplaced = [];
      this.#committed(frame, true, session);
      if (reply !== undefined) this.adoptTree(reply.frameTree, session, true);
      for (let at = 0; at < unplaced.length; at++) this.#worldMade(unplaced[at], session);
    };
    then(session.send('Page.getFrameTree', undefined, true), back, () => back());
  }

  // A frame that comes back with its page, before that is said of the page.
  addKept(id, parent, session) { this.#addFrame(id, parent, session).isKept = true; }

  // What goes for a frame of another site: the page stays.
  #frameCrashed(session) {
    this.dropWorlds(session);
    this.link.giveUp(session.id, session.gone);
  }

  detached(id) {
    const frame = this.byId[id];
    if (frame === undefined || frame === this.main) return;
    this.dropChildren(frame);
    delete this.byId[id];
    frame.detach();
    if (frame.session !== frame.parent?.session) frame.session.end();
  }

  dropChildren(frame) {
    const { children } = frame;
    for (let at = 0; at < children.length; at++) this.detached(children[at].id);
  }

  #worldMade(context, session) {
    const { id, uniqueId, name, auxData } = context;
    const frame = this.byId[auxData?.frameId];
    if (frame === undefined && session === this.session) push(this.unplaced, context);
    if (frame === undefined || frame.session !== session) return;
    if (auxData.isDefault) this.addContext(frame, 'main', id, session, uniqueId);
    else if (name === WORLD) this.addContext(frame, 'utility', id, session, uniqueId);
  }

  addContext(frame, world, id, session, uniqueId) {
    const known = session.worlds[id];
    if (known !== undefined) return known;
    const context = (session.worlds[id] = frame.addContext(world, id, session, uniqueId));
    if (world === 'utility' && frame === this.main) {
      this.vitalsWorld = context;
      this.link.vitalsWorld(session.id, id);
    }
    return context;
  }

  #worldGone(id, session) {
    const context = session.worlds[id];
    if (context === undefined) return;
    delete session.worlds[id];
    context.frame.dropContext(context);
  }

  dropWorlds(session) {
    const ids = ObjectKeys(session.worlds);
    for (let at = 0; at < ids.length; at++) this.#worldGone(ids[at], session);
  }

  // Calls `look` whenever something happens to a frame of the page, with what it is if it is this frame.
  watchFrames(frame, look) {
    const watcher = (from, event) => look(from === frame ? event : undefined);
    push(this.watchers, watcher);
    return () => { this.watchers = without(this.watchers, watcher); };
  }

  tellOf(frame, event) {
    const watchers = this.watchers;
    for (let at = 0; at < watchers.length; at++) watchers[at](frame, event);
  }

  addWorker(session, url) {
    const worker = { url: () => url };
    push(this.workerList, worker);
    session.whenEnded(() => { this.workerList = without(this.workerList, worker); });
    quiet(session.send('Runtime.runIfWaitingForDebugger'));
  }

  #ended() {
    this.hasClosed = true;
    const ids = ObjectKeys(this.byId);
    for (let at = 0; at < ids.length; at++) this.byId[ids[at]].detach();
    this.byId = { __proto__: null };
    this.targets.end();
    this.ofContext.dropPage(this);
  }

  // Everything that is to hold before the page's first script runs, in one go.
  async #prepare() {
    const { session, ofContext: { options, scripts } } = this;
    const send = (method, params) => session.send(method, params);
    const sent = [
      send('Page.enable'),
      send('Page.setLifecycleEventsEnabled', { enabled: true }),
      send('Runtime.addBinding', { name: VITALS_BINDING, executionContextName: WORLD }),
      send('Page.addScriptToEvaluateOnNewDocument', { source: native.pageScript('vitals'), worldName: WORLD, runImmediately: true }),
      send('Runtime.enable'),
      send('Network.enable'),
      this.targets.tell('Emulation.setFocusEmulationEnabled', { enabled: true }),
      send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }),
    ];
    for (let at = 0; at < scripts.length; at++) push(sent, send('Page.addScriptToEvaluateOnNewDocument', { source: scripts[at], runImmediately: true }));
    const emulated = this.ofContext.emulation(this);
    for (let at = 0; at < emulated.length; at++) push(sent, this.targets.tell(emulated[at][0], emulated[at][1]));
    this.viewport = options.viewport;
    if (options.viewport !== null) push(sent, this.#resize());
    push(sent, this.#emulateMedia({ media: '', colorScheme: options.colorScheme, reducedMotion: options.reducedMotion }));
    push(sent, this.#sendHeaders());
    if (options.httpCredentials !== undefined) {
      this.network.credentials = options.httpCredentials;
      push(sent, this.network.fetch());
    }
    const tree = then(send('Page.getFrameTree'), ({ frameTree }) => this.adoptTree(frameTree, session));
    push(sent, tree);
    push(sent, send('Runtime.runIfWaitingForDebugger'));
    await all(sent);
  }

  // What is in the target that a frame has got.
  adoptTarget(tree, session) {
    const { frame } = tree;
    // It begins with an empty document, which is not the frame's; what needs no network has taken its place before anybody knew.
    if (frame.url === '') return;
    if (this.byId[frame.id]?.session !== session) this.#committed(frame, false, session);
    this.adoptTree(tree, session);
  }

  adoptTree({ frame, childFrames }, session, isRestored) {
    const known = this.byId[frame.id] ?? this.#addFrame(frame.id, this.byId[frame.parentId], session);
    if (known.session !== session) return;
    if (known.loaderId === '') known.loaderId = frame.loaderId;
    if (isRestored) known.restored();
    known.address = `${frame.url}${frame.urlFragment ?? ''}`;
    known.label = frame.name ?? '';
    for (let at = 0; at < (childFrames?.length ?? 0); at++) this.adoptTree(childFrames[at], session, isRestored);
  }

  #resize() {
    const { viewport, ofContext: { options } } = this;
    const screen = options.screen ?? viewport;
    const isLandscape = viewport.width > viewport.height;
    return all([
      this.session.send('Emulation.setDeviceMetricsOverride', {
        width: viewport.width, height: viewport.height, screenWidth: screen.width, screenHeight: screen.height,
        deviceScaleFactor: options.deviceScaleFactor, mobile: options.isMobile,
        screenOrientation: isLandscape && options.isMobile ? { type: 'landscapePrimary', angle: 90 } : { type: 'portraitPrimary', angle: 0 },
      }),
    ]);
  }

  #emulateMedia(media) {
    this.media = media;
    const features = [];
    if (!nothing(media.colorScheme)) push(features, { name: 'prefers-color-scheme', value: String(media.colorScheme) });
    if (!nothing(media.reducedMotion)) push(features, { name: 'prefers-reduced-motion', value: String(media.reducedMotion) });
    return this.targets.tell('Emulation.setEmulatedMedia', { media: media.media, features });
  }

  #sendHeaders() {
    const headers = { ...this.ofContext.options.extraHTTPHeaders, ...this.headers };
    if (ObjectKeys(headers).length === 0 && this.headers === undefined) return call(PromiseResolve, Promise);
    return this.targets.tell('Network.setExtraHTTPHeaders', { headers });
  }

  // Time limits ------------------------------------------------------------------------------------------------------

  timeout() { return this.millis ?? this.ofContext.millis ?? 30000; }
  navigationTimeout() { return this.navigationMillis ?? this.millis ?? this.ofContext.navigationMillis ?? this.ofContext.millis ?? 30000; }
  setDefaultTimeout(millis) { this.millis = Number(millis); }
  setDefaultNavigationTimeout(millis) { this.navigationMillis = Number(millis); }

  // Navigation -------------------------------------------------------------------------------------------------------

  referrer() { return this.headers?.referer ?? this.headers?.Referer ?? undefined; }

  async goto(url, options) { return within('navigating page', this.main.goto(url, options)); }

  async reload(options) {
    const read = readNavigation(this, options, 'reloading page');
    await this.beforeLeaving();
    return within('reloading page', this.#navigated(read, () => this.session.send('Page.reload', {}, true), 'reloading page'));
  }

  goBack(options) { return this.#travel(-1, options, 'navigating back'); }
  goForward(options) { return this.#travel(1, options, 'navigating forward'); }

  async #travel(delta, options, context) {
    const read = readNavigation(this, options, context);
    const { currentIndex, entries } = await this.session.send('Page.getNavigationHistory');
    const entry = entries[currentIndex + delta];
    if (entry === undefined) return null;
    await this.beforeLeaving();
    return within(context, this.#navigated(read, () => this.session.send('Page.navigateToHistoryEntry', { entryId: entry.id }, true), context));
  }

  // What comes of a navigation that `start` begins.
  async #navigated({ state, millis }, start, context) {
    const scope = {};
    const navigation = awaitNavigation(this.main, { state, millis, scope }, context);
    then(start(), undefined, (error) => { if (scope.cancel !== undefined) scope.cancel(error); });
    try {
      return await navigation;
    } catch (error) {
      throw messageOf(error) === messageOf(timedOut(context, millis)) ? new BrowserError(`timed out after ${span(millis)}`) : error;
    }
  }

  waitForNavigation(options) { return this.main.waitForNavigation(options); }
  waitForURL(url, options) { return this.main.waitForURL(url, options); }
  waitForLoadState(state, options) { return this.main.waitForLoadState(state, options); }
  waitForFunction(fn, options, ...args) { return this.main.waitForFunction(fn, options, ...args); }
  waitForTimeout(millis) { return this.main.waitForTimeout(millis); }
  setContent(html, options) { return this.main.setContent(html, options); }
  content() { return this.main.content(); }
  title() { return this.main.title(); }
  evaluate(fn, ...args) { return this.main.evaluate(fn, ...args); }
  evaluateHandle(fn, ...args) { return this.main.evaluateHandle(fn, ...args); }
  url() { return this.main.url(); }

  // Events -----------------------------------------------------------------------------------------------------------

  on(event, handler) {
    const name = String(event);
    if (!EVENTS[name]) throw new GoError(`unknown page on event: "${nothing(event) ? '' : name}"`);
    if (typeof handler !== 'function') throw new GoError(`the handler of "${name}" must be a function`);
    const bound = bind(handler);
    push((this.handlers[name] ??= []), bound);
    if (name === 'metric') {
      this.session.onMetric = (metric) => this.#nameOf(metric);
      return this.link.nameMetrics(this.session.id, true);
    }
    this.#listenFor(name, bound);
  }

  // Calls `handler` for each such event; returns what ends it.
  #listenFor(name, handler) {
    if (name !== 'console') return this.network.listen(name, (given) => guarded(handler, given));
    return this.targets.on('Runtime.consoleAPICalled', (event, session) => {
      const context = session.worlds[event.executionContextId];
      if (context !== undefined && context.world === 'main') handler(new ConsoleMessage(this, event, context));
    });
  }

  // What the handlers call what was measured.
  #nameOf({ url, httpMethod }) {
    let found;
    const message = new MetricMessage((given) => {
      const list = given?.matches ?? [];
      for (let at = 0; at < list.length; at++) {
        const { url: pattern, method } = list[at];
        if (nothing(pattern) || !matches(pattern, url)) continue;
        if (!nothing(method) && httpMethod !== '' && call(StringPrototypeToUpperCase, String(method)) !== httpMethod) continue;
        found = String(given.name);
      }
    });
    const handlers = this.handlers.metric;
    for (let at = 0; at < handlers.length; at++) guarded(handlers[at], message);
    return found;
  }

  async waitForRequest(url, options) { return this.#awaitEvent('request', holdsFor(url), options, 'waiting for request: waiting for page request event'); }
  async waitForResponse(url, options) { return this.#awaitEvent('response', holdsFor(url), options, 'waiting for response: waiting for page response event'); }

  async waitForEvent(event, given) {
    const name = String(event);
    const predicate = typeof given === 'function' ? given : given?.predicate;
    const context = `waiting for page event "${name}": waiting for page event "${name}": waiting for page ${name} event`;
    return this.#awaitEvent(name, (found) => typeof predicate !== 'function' || predicate(found), given, context);
  }

  #awaitEvent(name, holds, options, context) {
    const millis = timeoutOf(options, this.timeout());
    return this.link.wait((good, bad) => {
      if (!EVENTS[name] || name === 'metric') return undefined;
      return this.#listenFor(name, (given) => {
        try {
          then(call(PromiseResolve, Promise, holds(given)), (isIt) => { if (isIt) good(given); }, bad);
        } catch (error) {
          bad(error);
        }
      });
    }, millis, () => timedOut(context, millis));
  }

  route(pattern, handler) {
    if (typeof handler !== 'function') throw new GoError('the handler of a route must be a function');
    return this.network.route(checkPattern(pattern), bind(handler));
  }
  unroute(pattern) { return this.network.unroute(checkPattern(pattern)); }
  unrouteAll() { return this.network.unrouteAll(); }

  // Conditions -------------------------------------------------------------------------------------------------------

  async emulateMedia(options) {
    const given = (name, usual) => (options?.[name] === undefined ? usual : options[name]);
    const media = this.media;
    await within('emulating media', this.#emulateMedia({ media: given('media', media.media) ?? '', colorScheme: given('colorScheme', media.colorScheme), reducedMotion: given('reducedMotion', media.reducedMotion) }));
  }

  async emulateVisionDeficiency(type) {
    const name = nothing(type) ? 'none' : String(type);
    const known = { __proto__: null, none: 1, achromatopsia: 1, blurredVision: 1, deuteranopia: 1, protanopia: 1, tritanopia: 1 };
    if (!known[name]) throw new BrowserError(`unsupported vision deficiency: "${name}"`);
    await this.targets.tell('Emulation.setEmulatedVisionDeficiency', { type: name });
  }

  async setExtraHTTPHeaders(headers) {
    const texts = {};
    const names = ObjectKeys(headers ?? {});
    for (let at = 0; at < names.length; at++) texts[names[at]] = String(headers[names[at]]);
    this.headers = texts;
    await within('setting extra HTTP headers', this.#sendHeaders());
  }

  async setViewportSize(size) {
    this.viewport = sizeOf(size);
    await within('setting viewport size', this.#resize());
  }

  viewportSize() { return this.viewport === null ? null : { width: this.viewport.width, height: this.viewport.height }; }

  async throttleCPU(profile) { await within('throttling CPU', this.targets.tell('Emulation.setCPUThrottlingRate', { rate: Number(profile?.rate ?? 1) })); }

  async throttleNetwork(profile) {
    const figure = (name, usual) => (nothing(profile?.[name]) ? usual : Number(profile[name]));
    await within('throttling network', this.ofContext.setConditions(this, { latency: figure('latency', 0), downloadThroughput: figure('download', -1), uploadThroughput: figure('upload', -1) }));
  }

  async bringToFront() { await within('bringing page to front', this.session.send('Page.bringToFront')); }

  // Pictures ---------------------------------------------------------------------------------------------------------

  async screenshot(options) { return within('taking screenshot', this.#shoot(options)); }

  // A picture of a part of the page, given relative to the window.
  async screenshotOf(box, options) {
    const { cssVisualViewport: { pageX, pageY } } = await this.session.send('Page.getLayoutMetrics');
    return this.#shoot({ ...options, fullPage: false, clip: { x: box.x + pageX, y: box.y + pageY, width: box.width, height: box.height } }, true);
  }

  async #shoot(options, isElement) {
    const path = nothing(options?.path) ? undefined : String(options.path);
    const isJpeg = nothing(options?.type) ? path !== undefined && (endsWith(path, '.jpg') || endsWith(path, '.jpeg')) : String(options.type) === 'jpeg';
    if (!nothing(options?.type) && String(options.type) !== 'jpeg' && String(options.type) !== 'png') throw new BrowserError(`unknown screenshot type "${String(options.type)}"; must be png or jpeg`);
    const params = { format: isJpeg ? 'jpeg' : 'png' };
    if (isJpeg) params.quality = nothing(options?.quality) ? 100 : Number(options.quality);
    if (options?.fullPage) {
      const { cssContentSize: { width, height } } = await this.session.send('Page.getLayoutMetrics');
      params.clip = { x: 0, y: 0, width, height, scale: 1 };
      params.captureBeyondViewport = true;
    }
    if (!nothing(options?.clip)) {
      const { x, y, width, height } = options.clip;
      if (!(width > 0 && height > 0)) throw new BrowserError('the clip of a screenshot has no size');
      params.clip = { x: Number(x), y: Number(y), width: Number(width), height: Number(height), scale: 1 };
      params.captureBeyondViewport = options.fullPage === true || isElement === true;
    }
    const omits = options?.omitBackground === true && !isJpeg;
    if (omits) await this.session.send('Emulation.setDefaultBackgroundColorOverride', { color: { r: 0, g: 0, b: 0, a: 0 } });
    const millis = timeoutOf(options, this.timeout());
    const shot = this.link.limit(this.session.send('Page.captureScreenshot', params, true), millis, () => new BrowserError(`timed out after ${span(millis)}`));
    const { data } = await shot;
    if (omits) await this.session.send('Emulation.setDefaultBackgroundColorOverride', {});
    if (path !== undefined) {
      const problem = native.writeFile(path, data);
      if (problem !== undefined) throw new BrowserError(problem);
    }
    return native.base64(data);
  }

  // Waits until the document has reported its vitals, which it may not get to while it is taken down.
  async #reportVitals(millis) {
    const { vitalsWorld: world, main: { address } } = this;
    if (world === undefined || world.isDestroyed || !(startsWith(address, 'http') || startsWith(address, 'file:'))) return;
    const reported = world.send('Runtime.evaluate', { expression: native.reportVitals(), awaitPromise: true }, true);
    await quiet(this.link.limit(reported, millis, () => new BrowserError('late')));
  }

  beforeLeaving() { return this.#reportVitals(LEAVING_MILLIS); }

  // The end ----------------------------------------------------------------------------------------------------------

  async close() {
    if (this.hasClosed) return;
    await this.#reportVitals(VITALS_MILLIS);
    if (this.hasClosed) return;
    const gone = this.link.wait((good) => { this.session.whenEnded(good); }, CLOSE_MILLIS, () => timedOut('closing page', CLOSE_MILLIS));
    const closed = this.link.send('', 'Target.closeTarget', { targetId: this.targetId }, true);
    await within('closing page', all([gone, closed]));
  }

  // What a script asks -----------------------------------------------------------------------------------------------

  context() { return this.ofContext; }
  frameById(id) { return this.byId[id]; }
  frames() { return map(ObjectKeys(this.byId), (id) => this.byId[id]); }
  isClosed() { return this.hasClosed; }
  inputState() { return (this.lazies.input ??= env.load('input').state(this)); }
  mainFrame() { return this.main; }
  async opener() { return this.openedBy === undefined ? null : this.ofContext.pageById(this.openedBy) ?? null; }
  workers() { return map(this.workerList, (worker) => worker); }
}

// Whether a request or a response is the one that is waited for: by its address, or by a function of the script.
const holdsFor = (wanted) => (typeof wanted === 'function' ? wanted : (found) => matches(wanted, found.url()));

function sizeOf(size) {
  const width = Number(size?.width), height = Number(size?.height);
  if (!(width >= 0 && height >= 0)) throw new BrowserError('a viewport needs a width and a height');
  return { width, height };
}

function readNavigation(page, options, context) {
  const state = stateOf(options?.waitUntil, (text) => new BrowserError(`${context}: parsing navigation options: ${text}`));
  return { state, millis: timeoutOf(options, page.navigationTimeout()) };
}

class ConsoleMessage {
  #page;
  #event;
  #args;

  constructor(page, event, context) {
    this.#page = page;
    this.#event = event;
    this.#args = map(event.args, (arg) => handleOf(context, arg));
  }

  args() { return map(this.#args, (arg) => arg); }
  page() { return this.#page; }
  type() { return this.#event.type; }

  text() {
    let text = '';
    const args = this.#event.args;
    for (let at = 0; at < args.length; at++) text += `${at === 0 ? '' : ' '}${shownArgument(args[at])}`;
    return text;
  }
}

// A value as the console shows it; objects by their properties.
function shownArgument({ type, subtype, value, unserializableValue, preview, description }) {
  if (type === 'undefined' || subtype === 'null') return type === 'undefined' ? 'undefined' : 'null';
  if (unserializableValue !== undefined) return unserializableValue;
  if (value !== undefined) return typeof value === 'string' ? value : JSONStringify(value);
  if (preview === undefined || subtype === 'error' || type === 'function') return description ?? type;
  const shown = {};
  for (let at = 0; at < preview.properties.length; at++) {
    const property = preview.properties[at];
    shown[property.name] = property.value ?? property.type;
  }
  if (subtype === 'array') return JSONStringify(map(preview.properties, (property) => property.value ?? property.type));
  return JSONStringify(shown);
}

class MetricMessage {
  #tag;
  constructor(tag) { this.#tag = tag; }
  tag(given) { this.#tag(given); }
}

// A part that is made when it is first asked for.
function lazily(name, make) {
  ObjectDefineProperty(Page.prototype, name, { __proto__: null, configurable: true, get() { return (this.lazies[name] ??= make(this)); } });
}

env.load('frame_selectors').addSelectors(Frame.prototype, (frame) => frame);
env.load('frame_selectors').addSelectors(Page.prototype, (page) => page.main);
lazily('keyboard', (page) => new (env.load('input').Keyboard)(page.inputState()));
lazily('mouse', (page) => new (env.load('input').Mouse)(page.inputState()));
lazily('touchscreen', (page) => new (env.load('input').Touchscreen)(page.inputState()));

return { Page };
}
