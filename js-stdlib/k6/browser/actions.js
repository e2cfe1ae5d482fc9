// What pages, frames, locators and element handles of k6/browser do with elements: it finds them in the page, waits there until
// they are ready (injected.js), and sends what a user would do. An expression, called with what the parts share.
//
// A target is what something is done to: { frame, chain, strict, shown } for selectors, of which each but the last names the
// frame the next is looked for in, or { handle }.
(env) => {
const { native, call, primordials } = env;
const { all, hide, includes, quiet, span } = env.load('session');
const { adopted, failure, frameIn, frameOf, handleOf, isDetached, now, ownerOf, pageOf, prepare, release, timeout, worded } = env.load('elements');
const input = env.load('input');
const { ArrayBufferIsView, ArrayIsArray, JSONParse, Number, ObjectKeys, String, StringPrototypeIndexOf, StringPrototypeSlice, Uint8Array } = primordials;

const slice = (text, from, to) => call(StringPrototypeSlice, text, from, to);

// ---- Deadlines

// How much longer than its own limit a page may take to say that time is up.
const SLACK = 1000;
// How long is waited before something is tried again that the page itself can't wait for.
const PAUSE = 30;

const deadlineOf = (timeout) => ({ timeout, end: timeout > 0 ? now() + timeout : 0 });
const left = (deadline) => (deadline.end === 0 ? 0 : deadline.end - now() > 1 ? deadline.end - now() : 1);
const isOver = (deadline) => deadline.end !== 0 && now() >= deadline.end;
const timedOut = (deadline, why) => failure(`timed out after ${span(deadline.timeout)}`, { why, timeout: true });

// A promise, or the end of the time.
const within = (frame, promise, deadline, why) => frame.link.limit(promise, deadline.end === 0 ? 0 : left(deadline) + SLACK, () => timedOut(deadline, why));

// ---- Calls into the page

const LOST = ['Execution context was destroyed', 'Cannot find context', 'Inspected target navigated or closed', 'Could not find object', 'uniqueContextId not found', 'Cannot find execution context'];
function isLost(error) {
  const text = String(error.message);
  for (let at = 0; at < LOST.length; at++) if (includes(text, LOST[at])) return true;
  return false;
}

// Calls volley[name](request, ...objects) in the utility world of a frame; a value, or a remote object.
async function invoke(frame, name, request, objects, deadline, byValue = true) {
  const context = await within(frame, frame.context('utility'), deadline, 'the frame has no document yet');
  prepare(context, request.selector !== undefined && includes(request.selector, 'role='));
  const args = [{ value: name }, { value: request }];
  for (let at = 0; at < objects.length; at++) args[at + 2] = { objectId: objects[at] };
  const reply = await within(frame, context.send('Runtime.callFunctionOn', {
    functionDeclaration: 'function(n,r,...o){return volley[n](r,...o)}', arguments: args, returnByValue: byValue, awaitPromise: true,
  }, deadline.end !== 0), deadline, 'the page does not answer: its own script may be busy');
  if (reply.exceptionDetails === undefined) return byValue ? reply.result.value : { context, object: reply.result };
  const text = String(reply.exceptionDetails.exception?.description ?? reply.exceptionDetails.text);
  const at = call(StringPrototypeIndexOf, text, 'volley:{');
  if (at < 0) throw failure(text);
  const line = slice(text, at + 7);
  const end = call(StringPrototypeIndexOf, line, '}\n');
  return { outcome: JSONParse(end < 0 ? line : slice(line, 0, end + 1)) };
}

function settled(outcome, deadline) {
  if (outcome.fail !== undefined) throw failure(outcome.fail, { strict: outcome.strict });
  if (outcome.timeout !== undefined) throw timedOut(deadline, outcome.timeout);
  return outcome.value;
}

// The frame a selector is looked for in, and the object of a handle: { frame, objects }. Where `wait` is false, undefined
// if a frame on the way is not there.
async function locate(target, deadline, wait = true) {
  if (target.handle !== undefined) {
    const { frame, object } = await adopted(target.handle);
    return { frame, objects: [object] };
  }
  let frame = target.frame;
  for (let at = 0; at + 1 < target.chain.length; at++) {
    const selector = target.chain[at];
    const request = { selector, strict: true, timeout: wait ? left(deadline) : 1 };
    const found = await invoke(frame, 'element', request, [], deadline, false);
    if (found.outcome !== undefined) {
      if (!wait && found.outcome.timeout !== undefined) return undefined;
      settled(found.outcome, deadline);
    }
    const inner = await frameIn(found.context, found.object.objectId);
    release(found.context, found.object.objectId);
    if (inner === undefined) throw failure(`${worded(selector)} is no frame`);
    frame = inner;
  }
  return { frame, objects: [] };
}

// Does something in the page that is sought for again where a navigation takes it away; handles stay what they were.
async function insist(target, deadline, job) {
  for (;;) {
    try {
      return await job();
    } catch (error) {
      const again = target.handle === undefined && !target.frame.isGone && target.frame.session.isOpen && (isLost(error) || (target.chain.length > 1 && isDetached(error)));
      if (!again) throw error;
      if (isOver(deadline)) throw timedOut(deadline, 'the page navigated');
      await target.frame.link.pause(PAUSE);
    }
  }
}

const requestOf = (target, given, deadline) => ({
  selector: target.handle === undefined ? target.chain[target.chain.length - 1] : undefined, strict: target.strict === true, timeout: left(deadline), ...given,
});

// The value of what is asked of an element; where it was found.
function ask(target, given, deadline, nodes) {
  return insist(target, deadline, async () => {
    const place = await locate(target, deadline);
    const objects = place.objects;
    for (let at = 0; at < (nodes?.length ?? 0); at++) objects[target.handle === undefined ? at + 1 : objects.length] = nodes[at];
    if (nodes !== undefined && target.handle === undefined) objects[0] = undefined;
    const value = settled(await invoke(place.frame, 'run', requestOf(target, given, deadline), objects, deadline), deadline);
    return { value, frame: place.frame };
  });
}

// An element, for a handle: what `name` gives, in the world of the page.
function element(target, name, given, deadline) {
  return insist(target, deadline, async () => {
    const place = await locate(target, deadline);
    const found = await invoke(place.frame, name, requestOf(target, given, deadline), place.objects, deadline, false);
    if (found.outcome !== undefined) settled(found.outcome, deadline);
    if (found.object.subtype === 'null') return null;
    return name === 'all' ? found : handleOf(found.context, found.object);
  });
}

// ---- Navigations that actions cause

// Within so many milliseconds of the end of an action that led to another document, whoever waits for a navigation means that one.
const CAUSED_MILLIS = 200;
// How long a page may take to say that it has dealt with what was sent.
const FLUSH_MILLIS = 100;
// What a link leads to is asked for a moment after the click. Timers do not run where scripts are forbidden: there, frames do.
const FLUSH = `new Promise((resolve) => {
  setTimeout(() => setTimeout(resolve));
  let frames = 0;
  const next = () => (++frames > 3 ? resolve() : requestAnimationFrame(next));
  next();
})`;

// Which frames of a page are about to get another document, from the first action on.
function leavingOf(page) {
  if (page.leaving !== undefined) return page.leaving;
  const leaving = { frames: { __proto__: null }, actions: 0, landed: undefined, caused: [] };
  hide(page, { leaving });
  const { targets } = page;
  const stays = (id) => {
    delete leaving.frames[id];
    if (leaving.landed !== undefined && ObjectKeys(leaving.frames).length === 0) leaving.landed();
  };
  targets.on('Page.frameRequestedNavigation', ({ frameId, disposition }) => {
    if (disposition === 'currentTab') leaving.frames[frameId] = true;
  });
  targets.on('Page.frameStartedNavigating', ({ frameId, navigationType }) => {
    if (!includes(navigationType, 'ameDocument')) leaving.frames[frameId] = true;
  });
  targets.on('Page.frameNavigated', ({ frame }) => {
    const known = page.frameById(frame.id);
    if (leaving.actions > 0 && known !== undefined && !(known.navigationWaits > 0)) {
      const caused = { loaderId: frame.loaderId, until: now() + CAUSED_MILLIS };
      hide(known, { caused });
      leaving.caused[leaving.caused.length] = caused;
    }
    stays(frame.id);
  });
  targets.on('Page.frameStoppedLoading', ({ frameId }) => stays(frameId));
  targets.on('Page.frameDetached', ({ frameId, reason }) => {
    if (reason !== 'swap') stays(frameId);
  });
  return leaving;
}

// Until a frame, and the page it is in, have dealt with what was sent.
function flush(page, { session, contexts }) {
  const asked = (to, context) => (context ?? to).send('Runtime.evaluate', { expression: FLUSH, awaitPromise: true }, true);
  const ofPage = asked(page.session, page.main.contexts.utility);
  return session === page.session ? ofPage : all([ofPage, asked(session, contexts.utility)]);
}

// Acts, and waits for the documents this leads to, until they begin to load. The job says which frame it did something in;
// or, with a text, why it did nothing: that is given on.
async function landing(page, options, deadline, job) {
  const leaving = leavingOf(page);
  leaving.actions++;
  try {
    const done = await job();
    if (typeof done.missed === 'string') return done.missed;
    if (options.noWaitAfter === true || !page.session.isOpen) return undefined;
    await quiet(page.link.limit(flush(page, done.frame), FLUSH_MILLIS, () => failure('late')));
    if (ObjectKeys(leaving.frames).length === 0 || !page.session.isOpen) return undefined;
    await quiet(page.link.wait((good) => {
      leaving.landed = good;
      page.session.whenEnded(good);
    }, deadline.end === 0 ? 0 : left(deadline), () => failure('late')));
    return undefined;
  } finally {
    leaving.actions--;
    // The script goes on from here, however long this took.
    for (let at = 0; at < leaving.caused.length; at++) leaving.caused[at].until = now() + CAUSED_MILLIS;
    if (leaving.actions === 0) {
      leaving.landed = undefined;
      leaving.caused = [];
    }
  }
}

// What of a page's keys and mouse is known.
const inputOf = (page) => page.inputState();

// ---- Pointing

// A point of a frame, seen from the page: through all frames it is in. { why } if one of them is covered there.
async function toPage(frame, point, deadline, force) {
  let at = point;
  let scale = 1;
  for (let inner = frame, outer = inner.parent; outer !== undefined; inner = outer, outer = inner.parent) {
    const owner = await ownerOf(inner);
    const outcome = await invoke(outer, 'run', { op: 'through', arg: { x: at.x, y: at.y, force }, timeout: 1 }, [owner], deadline);
    at = settled(outcome, deadline);
    scale *= at.scale;
    if (at.why !== undefined) return at;
  }
  return { x: at.x, y: at.y, scale };
}

const positionOf = (options) => {
  const position = options.position;
  return position === undefined || position === null ? undefined : { x: Number(position.x), y: Number(position.y) };
};

// Ends the watch of a point (injected.js): what is said if the events of an action hit another element. Where nobody can say any
// more, because they led to another document or closed the page, they hit.
async function missedOf(context, watch, mustBeSeen, deadline) {
  if (context.isDestroyed || !context.session.isOpen) return undefined;
  const reply = context.send('Runtime.callFunctionOn', {
    functionDeclaration: 'function(r){return volley.unwatch(r)}', arguments: [{ value: { watch, mustBeSeen } }], returnByValue: true,
  }, true);
  try {
    const { result } = await context.session.link.limit(reply, deadline.end === 0 ? 0 : left(deadline) + SLACK, () => failure('late'));
    return result.value?.value ?? undefined;
  } catch {
    return undefined;
  }
}

// Waits until a point of an element can be hit, and does something there; `op` is what has to be said of it first. An action
// whose events hit another element begins anew.
async function atPoint(target, options, deadline, given, job) {
  const force = options.force === true;
  const watch = force || options.trial === true ? undefined : given.watch ?? 'press';
  for (;;) {
    const request = { op: 'point', states: ['visible', 'enabled'], attached: true, force, position: positionOf(options), ...given, watch };
    const found = await ask(target, request, deadline);
    if (found.value === null) return false;
    const why = await hitting(found, watch === 'press', options, deadline, job);
    if (why === undefined) return true;
    if (isOver(deadline)) throw timedOut(deadline, why);
    await found.frame.link.pause(PAUSE);
  }
}
// Acts at a point that was found; why that did not hit the element.
async function hitting({ frame, value }, isPress, options, deadline, job) {
  const context = frame.contexts.utility;
  let isWatched = value.watch !== undefined && context !== undefined;
  const missed = () => {
    if (!isWatched) return undefined;
    isWatched = false;
    // Which process is under a point, the browser learns a moment after a frame has got one.
    return missedOf(context, value.watch, isPress && context.session !== pageOf(frame).session, deadline);
  };
  try {
    let there;
    try {
      there = await toPage(frame, value, deadline, options.force === true);
    } catch (error) {
      if (!isLost(error)) throw error;
      return 'the page navigated';
    }
    if (there.why !== undefined || options.trial === true) return there.why;
    const keys = inputOf(pageOf(frame));
    return await landing(pageOf(frame), options, deadline, async () => {
      await input.holding(keys, options.modifiers, () => job(keys, there.x, there.y));
      return { missed: await missed(), frame };
    });
  } finally {
    if (isWatched) quiet(missed());
  }
}

async function click(target, options, deadline) {
  await atPoint(target, options, deadline, {}, (keys, x, y) => input.click(keys, x, y, options));
}
async function dblclick(target, options, deadline) {
  await atPoint(target, options, deadline, {}, (keys, x, y) => input.click(keys, x, y, { button: options.button, delay: options.delay }, 2));
}
async function hover(target, options, deadline) {
  await atPoint(target, options, deadline, { states: ['visible'], watch: 'hover' }, (keys, x, y) => input.moveTo(keys, x, y));
}
async function tap(target, options, deadline) {
  await atPoint(target, options, deadline, {}, (keys, x, y) => input.tap(keys, x, y));
}

async function setChecked(target, wanted, options, deadline) {
  const clicked = await atPoint(target, options, deadline, { op: 'check', arg: wanted }, (keys, x, y) => input.click(keys, x, y, {}));
  if (clicked && options.trial !== true) await ask(target, { op: 'check', arg: wanted, clicked: true }, deadline);
}

// ---- Typing

async function fill(target, text, options, deadline) {
  const { value, frame } = await ask(target, { op: 'fill', arg: text, states: ['visible', 'enabled', 'editable'], attached: true, force: options.force === true }, deadline);
  if (!value) await input.insertText(inputOf(pageOf(frame)), text);
}
// Puts the focus on an element and types.
async function typing(target, options, deadline, job) {
  const { frame } = await ask(target, { op: 'focus', attached: true }, deadline);
  const page = pageOf(frame);
  await landing(page, options, deadline, async () => {
    await job(inputOf(page));
    return { frame };
  });
}
const delayOf = (options) => Number(options.delay ?? 0);
const type = (target, text, options, deadline) => typing(target, options, deadline, (keys) => input.type(keys, text, delayOf(options)));
const press = (target, key, options, deadline) => typing(target, options, deadline, (keys) => input.press(keys, key, delayOf(options)));

// ---- Events, options of a list and files

const dispatchEvent = (target, type, init, options, deadline) =>
  landing(pageOf(frameOf(target)), options, deadline, () => ask(target, { op: 'dispatch', arg: { type, init } }, deadline));

async function selectOption(target, values, options, deadline) {
  const list = ArrayIsArray(values) ? values : values === undefined || values === null ? [] : [values];
  const wanted = [];
  const handles = [];
  for (let at = 0; at < list.length; at++) {
    const value = list[at];
    if (value instanceof env.load('element_handle').ElementHandle) handles[handles.length] = value;
    else if (value !== null && typeof value === 'object') {
      const pick = {};
      if (value.value !== undefined && value.value !== null) pick.value = String(value.value);
      if (value.label !== undefined && value.label !== null) pick.label = String(value.label);
      if (value.index !== undefined && value.index !== null) pick.index = Number(value.index);
      if (ObjectKeys(pick).length === 0) throw failure('an option is chosen by its value, label or index');
      wanted[wanted.length] = pick;
    } else wanted[wanted.length] = String(value);
  }
  if (handles.length > 0 && wanted.length > 0) throw failure('options are chosen by handles or by values, not by both');
  const nodes = [];
  for (let at = 0; at < handles.length; at++) nodes[at] = (await adopted(handles[at])).object;
  const request = { op: 'choose', arg: wanted, states: ['visible', 'enabled'], attached: true, force: options.force === true };
  let chosen;
  await landing(pageOf(frameOf(target)), options, deadline, async () => {
    chosen = await ask(target, request, deadline, nodes.length > 0 ? nodes : undefined);
    return chosen;
  });
  return chosen.value;
}

function contentOf(buffer) {
  if (typeof buffer === 'string') return buffer;
  if (buffer === undefined || buffer === null) return '';
  const bytes = ArrayBufferIsView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : buffer;
  return native.base64(bytes);
}
async function setInputFiles(target, files, options, deadline) {
  const list = ArrayIsArray(files) ? files : files === undefined || files === null ? [] : [files];
  const given = [];
  for (let at = 0; at < list.length; at++) {
    const file = list[at];
    if (file === null || typeof file !== 'object') throw failure(`a file is an object with name, mimeType and buffer, not ${String(file)}`);
    given[at] = { name: String(file.name ?? ''), type: String(file.mimeType ?? file.mimetype ?? ''), buffer: contentOf(file.buffer) };
  }
  await ask(target, { op: 'files', arg: given, attached: true }, deadline);
}

// ---- Reading

const read = async (target, op, arg, deadline) => (await ask(target, { op, arg }, deadline)).value;
// What is said of an element at once; `absent` where there is none.
function readNow(target, op, absent) {
  const deadline = deadlineOf(timeout(target, {}));
  return insist(target, deadline, async () => {
    const place = await locate(target, deadline, false);
    if (place === undefined) return absent;
    return settled(await invoke(place.frame, 'run', requestOf(target, { op, now: absent }, deadline), place.objects, deadline), deadline);
  });
}
async function count(target) {
  const deadline = deadlineOf(timeout(target, {}));
  return insist(target, deadline, async () => {
    const place = await locate(target, deadline, false);
    if (place === undefined) return 0;
    return settled(await invoke(place.frame, 'count', requestOf(target, {}, deadline), place.objects, deadline), deadline);
  });
}
async function boundingBox(target, deadline) {
  const { value, frame } = await ask(target, { op: 'box' }, deadline);
  if (value === null) return null;
  const at = await toPage(frame, value, deadline, true);
  return { x: at.x, y: at.y, width: value.width * at.scale, height: value.height * at.scale };
}

// ---- Waiting

const WAIT_STATES = { __proto__: null, attached: true, detached: true, visible: true, hidden: true };
function waitStateOf(options) {
  const state = options.state ?? 'visible';
  if (WAIT_STATES[state] === undefined) throw failure(`${worded(String(state))} is no state to wait for: attached, detached, visible or hidden`);
  return state;
}
// Until the element of a locator is in a state.
function waitFor(target, options, deadline) {
  const state = waitStateOf(options);
  const gone = state === 'hidden' || state === 'detached';
  return insist(target, deadline, async () => {
    const place = await locate(target, deadline, !gone);
    if (place === undefined) return;
    const outcome = await invoke(place.frame, 'wait', requestOf(target, { state }, deadline), place.objects, deadline);
    if (outcome.strict) throw failure('error:strictmodeviolation');
    settled(outcome, deadline);
  });
}

const ELEMENT_STATES = { __proto__: null, visible: true, hidden: true, enabled: true, disabled: true, editable: true, stable: true };
async function waitForElementState(target, state, deadline) {
  if (ELEMENT_STATES[state] === undefined) throw failure(`${worded(state)} is no state of an element: visible, hidden, enabled, disabled, editable or stable`);
  try {
    await ask(target, state === 'stable' ? { op: 'stable' } : { op: 'state', states: [state] }, deadline);
  } catch (error) {
    if (error.isTimeout) throw failure('timed out', { why: error.why, timeout: true });
    throw error;
  }
}

return {
  deadlineOf, click, dblclick, hover, tap, setChecked, fill, type, press, dispatchEvent, selectOption, setInputFiles, read, readNow, count, boundingBox,
  waitStateOf, waitFor, waitForElementState, element, ask, invoke, locate, insist, requestOf, settled, isLost, within, left,
};
}
