// ElementHandle of k6/browser: an element of a page that a script holds. A lazy script: called with what the parts share.
(core) => {
const { actions, methods, failure, worded, JSHandle, primordials } = core;
const { ObjectKeys, String } = primordials;

const targetOf = (handle) => ({ handle });
const deadlineOf = (handle, options) => actions.deadlineOf(core.timeout(targetOf(handle), options ?? {}));
function below(handle, selector) {
  const text = selector === undefined || selector === null ? '' : String(selector);
  if (text === '') throw failure('provided selector is empty');
  return { selector: text };
}
const parsing = (selector) => `parsing selector ${worded(selector === undefined || selector === null ? '' : String(selector))}`;

class ElementHandle extends JSHandle {
  $(selector) {
    return methods.told(parsing(selector), () => core.queryOne(targetOf(this), below(this, selector), deadlineOf(this)));
  }
  $$(selector) {
    return methods.told(parsing(selector), () => core.queryAll(targetOf(this), below(this, selector), deadlineOf(this)));
  }
  waitForSelector(selector, options) {
    return core.waitForSelector(targetOf(this), selector, options ?? {});
  }
  waitForElementState(state, options) {
    const name = String(state);
    return methods.told(`waiting for element state ${worded(name)}`, () => actions.waitForElementState(targetOf(this), name, deadlineOf(this, options)));
  }
  contentFrame() {
    return methods.told('getting content frame', async () => {
      const frame = await core.contentFrameOf(this);
      if (frame === undefined) throw failure('element is not an iframe');
      return frame;
    });
  }
  async ownerFrame() {
    return core.frameOfHandle(this);
  }
  screenshot(options) {
    return methods.told('taking screenshot of element', async () => {
      const deadline = deadlineOf(this, options);
      await actions.ask(targetOf(this), { op: 'scroll', states: ['visible'], attached: true }, deadline);
      const box = await actions.boundingBox(targetOf(this), deadline);
      return core.screenshot(this, box, options ?? {});
    });
  }
}
methods.addMethods(ElementHandle.prototype, ObjectKeys(methods.TABLE), 0, targetOf);

return ElementHandle;
}
