// What actions need of frames, contexts and handles of k6/browser: deadlines, errors with a reason, the script in the page, an
// object of one world in another. An expression, called with what the parts share.
(env) => {
const { native, call, primordials } = env;
const { BrowserError, hide, includes, map, messageOf, nothing, quiet, span, timeoutOf } = env.load('session');
const { Date, DatePrototypeGetTime, JSONStringify, ObjectDefineProperty, String } = primordials;

const now = () => call(DatePrototypeGetTime, new Date());
const textOf = (value) => (nothing(value) ? '' : String(value));
const worded = (text) => JSONStringify(text);

// ---- Errors

// An error of an action. Why it failed stands in `message` and the stack; the text it converts to is k6's.
function failure(text, from) {
  const error = new BrowserError(text);
  const why = from?.why;
  hide(error, { text, why, isTimeout: from?.isTimeout === true || from?.timeout === true, isStrict: from?.isStrict === true || from?.strict === true });
  if (why !== undefined) {
    const message = `${text}: ${why}`;
    hide(error, { message, stack: message, toString: () => text });
  }
  return error;
}
const plainText = (error) => error?.text ?? messageOf(error);

// How long a page may take to show what it is like.
const EVIDENCE_MILLIS = 2000;
// How much of its text is told.
const EVIDENCE_CHARS = 200;

// A reason with what the page shows, where K6_BROWSER_SCREENSHOT_ON_FAILURE says where pictures go.
async function withEvidence(page, what, why) {
  const folder = native.failureFolder();
  if (folder === undefined || !page.session.isOpen) return why;
  hide(page, { evidences: (page.evidences ?? 0) + 1 });
  const path = `${folder}/${page.targetId}-${page.evidences}.png`;
  const words = why === undefined ? '' : `${why}; `;
  try {
    const read = page.main.run('utility', '(size) => (document.body?.innerText ?? "").replace(/\\s+/g, " ").trim().slice(0, size)', [EVIDENCE_CHARS]);
    const text = await page.link.limit(read, EVIDENCE_MILLIS, () => failure('the page does not answer'));
    await page.screenshot({ path, timeout: EVIDENCE_MILLIS });
    native.pictured(path, why === undefined ? what : `${what}: ${why}`);
    return `${words}the page shows ${worded(text)}, see ${path}`;
  } catch (error) {
    return `${words}no picture could be taken of the page: ${messageOf(error)}`;
  }
}

// ---- Frames and their worlds

const pageOf = (frame) => frame.ofPage;
const send = (page, method, params) => page.session.send(method, params);
const frameOf = (target) => (target.handle === undefined ? target.frame : target.handle.context.frame);
const timeout = (target, options) => timeoutOf(options, pageOf(frameOf(target)).timeout());
const shown = (target) => {
  let text = '';
  for (let at = 0; at < target.chain.length; at++) text += at === 0 ? target.chain[at] : ` >> internal:control=enter-frame >> ${target.chain[at]}`;
  return text;
};
const isDetached = (error) => includes(messageOf(error), 'detached');

// Sees to it that our scripts are in a world before what is sent next runs there: commands of a session run in their order.
function prepare(context, roles) {
  if (!context.isPrepared) {
    hide(context, { isPrepared: true });
    quiet(context.send('Runtime.evaluate', { expression: native.pageScript('actions') }));
  }
  if (roles && !context.hasRoles) {
    hide(context, { hasRoles: true });
    quiet(context.send('Runtime.evaluate', { expression: native.pageScript('roles') }));
  }
}

// An object of one world in another of the same frame.
async function carried(from, objectId, to) {
  const { node } = await from.session.send('DOM.describeNode', { objectId });
  const { object } = await to.session.send('DOM.resolveNode', { backendNodeId: node.backendNodeId, executionContextId: to.id });
  return object;
}
// An element handle's object in our world of its frame: { frame, object }.
async function adopted(handle) {
  if (handle.isDisposed) throw failure('JSHandle is disposed');
  const frame = handle.context.frame;
  if (handle.context.isDestroyed) throw failure('Cannot find context with specified id');
  const to = await frame.context('utility');
  if (handle.context === to) return { frame, object: handle.objectId };
  if (handle.twin?.context !== to) hide(handle, { twin: { context: to, object: carried(handle.context, handle.objectId, to) } });
  const { objectId } = await handle.twin.object;
  return { frame, object: objectId };
}
// A handle in the page's own world to something of ours, which is given up.
async function handleOf(context, remote) {
  const main = await context.frame.context('main');
  const object = remote.subtype === 'node' ? await carried(context, remote.objectId, main) : remote;
  release(context, remote.objectId);
  return env.load('execution').handleOf(main, object);
}
// Handles to the elements of an array in our world.
async function elementsOf({ context, object }) {
  const { result } = await context.session.send('Runtime.getProperties', { objectId: object.objectId, ownProperties: true });
  const jobs = [];
  for (let at = 0; at < result.length; at++) {
    if (result[at].value?.subtype === 'node') jobs[jobs.length] = handleOf(context, result[at].value);
  }
  release(context, object.objectId);
  return env.load('session').all(jobs);
}
function release(context, objectId) {
  quiet(context.session.send('Runtime.releaseObject', { objectId }));
}

// The frame an element is the owner of; undefined if it is none. One that has just been made is known in a moment.
async function frameIn(context, objectId) {
  const { node } = await context.session.send('DOM.describeNode', { objectId });
  if (node.frameId === undefined || !includes('IFRAME FRAME OBJECT EMBED', node.nodeName)) return undefined;
  const page = pageOf(context.frame);
  for (let tries = 0; tries < 50; tries++) {
    const frame = page.frameById(node.frameId);
    if (frame !== undefined) return frame;
    await page.link.pause(20);
  }
  return undefined;
}
// The element of a frame, in our world of the frame it stands in.
async function ownerOf(frame) {
  const outer = frame.parent;
  const context = await outer.context('utility');
  if (frame.ownerElement?.context !== context) {
    const { backendNodeId } = await context.session.send('DOM.getFrameOwner', { frameId: frame.id });
    const { object } = await context.session.send('DOM.resolveNode', { backendNodeId, executionContextId: context.id });
    hide(frame, { ownerElement: { context, objectId: object.objectId } });
  }
  return frame.ownerElement.objectId;
}

return {
  now, textOf, worded, failure, plainText, pageOf, send, frameOf, withEvidence, timeout, shown, isDetached, prepare, adopted, handleOf, elementsOf, release, frameIn, ownerOf,
  span, map,
};
}
