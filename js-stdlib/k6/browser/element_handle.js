// ElementHandle of k6/browser: an element of a page that a script holds. An expression, called with what the
// parts share.
(env) => {
const { primordials } = env;
const { JSHandle } = env.load('execution');
const { failure, frameIn, release, textOf, timeout, worded } = env.load('elements');
const { then } = env.load('session');
const actions = env.load('actions');
const methods = env.load('methods');
const frames = env.load('frame_selectors');
const { ObjectKeys, String } = primordials;

const targetOf = (handle) => ({ handle });
const deadlineOf = (handle, options) => actions.deadlineOf(timeout(targetOf(handle), options ?? {}));
function below(selector) {
  const text = textOf(selector);
  if (text === '') throw failure('provided selector is empty');
  return { selector: text };
}
const parsing = (selector) => `parsing selector ${worded(textOf(selector))}`;

class ElementHandle extends JSHandle {
  asElement() {
    return this;
  }
  $(selector) {
    return methods.told(parsing(selector), targetOf(this), () => frames.queryOne(targetOf(this), below(selector), deadlineOf(this)));
  }
  $$(selector) {
    return methods.told(parsing(selector), targetOf(this), () => frames.queryAll(targetOf(this), below(selector), deadlineOf(this)));
  }
  waitForSelector(selector, options) {
    return frames.waitForSelector(targetOf(this), selector, options ?? {});
  }
  waitForElementState(state, options) {
    const name = String(state);
    return methods.told(`waiting for element state ${worded(name)}`, targetOf(this), () => actions.waitForElementState(targetOf(this), name, deadlineOf(this, options)));
  }
  contentFrame() {
    return methods.told('getting content frame', targetOf(this), async () => {
      const frame = await frameIn(this.context, this.objectId);
      if (frame === undefined) throw failure('element is not an iframe');
      return frame;
    });
  }
  dispose() {
    const { twin } = this;
    if (twin !== undefined) then(twin.object, ({ objectId }) => release(twin.context, objectId), () => {});
    return super.dispose();
  }
  async ownerFrame() {
    return this.context.frame;
  }
  screenshot(options) {
    return methods.told('taking screenshot of element', targetOf(this), async () => {
      const deadline = deadlineOf(this, options);
      await actions.ask(targetOf(this), { op: 'scroll', states: ['visible'], attached: true }, deadline);
      const box = await actions.boundingBox(targetOf(this), deadline);
      return this.context.frame.ofPage.screenshotOf(box, options ?? {}, deadline);
    });
  }
}
methods.addMethods(ElementHandle.prototype, ObjectKeys(methods.TABLE), 0, targetOf);

return { ElementHandle };
}
