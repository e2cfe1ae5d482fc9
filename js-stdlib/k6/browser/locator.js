// Locator and FrameLocator of k6/browser: they hold a selector and look the element up anew in every call. An expression,
// called with what the parts share.
(env) => {
const { primordials } = env;
const { quiet } = env.load('session');
const { evaluateWith } = env.load('execution');
const { failure, shown, timeout } = env.load('elements');
const actions = env.load('actions');
const methods = env.load('methods');
const { Number, ObjectKeys } = primordials;

let locatorTarget;
let frameTarget;

function copied(chain) {
  const next = [];
  for (let at = 0; at < chain.length; at++) next[at] = chain[at];
  return next;
}
// A chain with something more in its last selector.
function further(chain, selector) {
  const next = copied(chain);
  const last = next.length - 1;
  next[last] = next[last] === '' ? selector : `${next[last]} >> ${selector}`;
  return next;
}
// A chain whose last element is a frame, with what is looked for in it.
function entered(chain) {
  const next = copied(chain);
  next[next.length] = '';
  return next;
}

class Locator {
  #target;
  constructor(frame, chain) {
    this.#target = { frame, chain, strict: true };
  }
  static {
    locatorTarget = (locator) => locator.#target;
  }
  #with(selector) {
    return new Locator(this.#target.frame, further(this.#target.chain, selector));
  }
  first() {
    return this.#with('nth=0');
  }
  last() {
    return this.#with('nth=-1');
  }
  nth(index) {
    const n = Number(index);
    return this.#with(`nth=${n - n === 0 ? n | 0 : 0}`);
  }
  filter(options) {
    const { frame, chain } = this.#target;
    const next = copied(chain);
    next[next.length - 1] = methods.filtered(next[next.length - 1], options);
    return new Locator(frame, next);
  }
  contentFrame() {
    return new FrameLocator(this.#target.frame, entered(this.#target.chain));
  }
  count() {
    return methods.told(`counting elements of ${this.#shown()}`, this.#target, () => actions.count(this.#target));
  }
  async all() {
    const count = await this.count();
    const list = [];
    for (let at = 0; at < count; at++) list[at] = this.nth(at);
    return list;
  }
  clear(options) {
    return methods.perform('fill', this.#target, ['', options]);
  }
  pressSequentially(text, options) {
    return methods.perform('type', this.#target, [text, options]);
  }
  waitFor(options) {
    return methods.told(`waiting for ${this.#shown()}`, this.#target, () => {
      if (shown(this.#target) === '') throw failure('provided selector is empty');
      return actions.waitFor(this.#target, options ?? {}, this.#deadline(options));
    });
  }
  evaluate(pageFunction, ...args) {
    return this.#evaluate(pageFunction, args, true);
  }
  evaluateHandle(pageFunction, ...args) {
    return this.#evaluate(pageFunction, args, false);
  }
  async #evaluate(pageFunction, args, byValue) {
    if (pageFunction === undefined || pageFunction === null) throw new GoError('evaluate requires a page function');
    const handle = await methods.told(undefined, this.#target, () => actions.element(this.#target, 'element', {}, this.#deadline()));
    try {
      return await evaluateWith(handle, pageFunction, args, byValue, byValue ? 'evaluating element' : 'evaluating handle');
    } finally {
      quiet(handle.dispose());
    }
  }
  #shown() {
    return methods.shownOf(this.#target);
  }
  #deadline(options) {
    return actions.deadlineOf(timeout(this.#target, options ?? {}));
  }
}
methods.addMethods(Locator.prototype, ObjectKeys(methods.TABLE), 0, (locator) => locatorTarget(locator));
methods.addLocating(Locator.prototype, (locator, selector, isFrame) => {
  const { frame, chain } = locatorTarget(locator);
  return isFrame ? new FrameLocator(frame, entered(further(chain, selector))) : new Locator(frame, further(chain, selector));
});

class FrameLocator {
  #target;
  constructor(frame, chain) {
    this.#target = { frame, chain };
  }
  static {
    frameTarget = (locator) => locator.#target;
  }
}
methods.addLocating(FrameLocator.prototype, (locator, selector, isFrame) => {
  const { frame, chain } = frameTarget(locator);
  return isFrame ? new FrameLocator(frame, entered(further(chain, selector))) : new Locator(frame, further(chain, selector));
});

return { Locator, FrameLocator, entered };
}
