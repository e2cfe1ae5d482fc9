// What frames and pages of k6/browser do by selectors: the methods of the table, locator() and getBy..., $, $$ and
// waitForSelector. An expression, called with what the parts share.
(env) => {
const { primordials } = env;
const { elementsOf, failure, textOf, timeout, worded } = env.load('elements');
const actions = env.load('actions');
const methods = env.load('methods');
const { Locator, FrameLocator } = env.load('locator');
const { ObjectKeys } = primordials;

// What locators have and frames do not.
const LOCATORS_ONLY = { __proto__: null, boundingBox: true, isInViewport: true, selectText: true, scrollIntoViewIfNeeded: true };

// The first element of a selector, or null; all of them.
async function queryOne(target, request, deadline) {
  return actions.element(target, 'first', request, deadline);
}
async function queryAll(target, request, deadline) {
  return elementsOf(await actions.element(target, 'all', request, deadline));
}

// The element of a selector once it is in a state; null where it is to be gone.
async function waitForSelector(target, selector, options) {
  const text = textOf(selector);
  return methods.told(`waiting for selector ${worded(text)}`, target, async () => {
    if (text === '') throw failure('provided selector is empty');
    const state = actions.waitStateOf(options);
    const deadline = actions.deadlineOf(timeout(target, options));
    return actions.element(target, 'waited', { selector: text, strict: options.strict === true, state }, deadline);
  });
}

// Gives a class its methods; `frameOf` makes of `this` the frame that is meant.
function addSelectors(prototype, frameOf) {
  const names = [];
  const all = ObjectKeys(methods.TABLE);
  for (let at = 0; at < all.length; at++) if (LOCATORS_ONLY[all[at]] === undefined) names[names.length] = all[at];
  const target = (owner, selector, options) => ({ frame: frameOf(owner), chain: [textOf(selector)], strict: options?.strict === true });
  methods.addMethods(prototype, names, 1, (owner, given, options) => target(owner, given[0], options));
  methods.addLocating(prototype, (owner, selector, isFrame) => {
    const frame = frameOf(owner);
    return isFrame ? new FrameLocator(frame, [selector, '']) : new Locator(frame, [selector]);
  });
  const query = (job) => function (selector) {
    const text = textOf(selector);
    const at = target(this, text);
    return methods.told(`parsing selector ${worded(text)}`, at, () => {
      if (text === '') throw failure('provided selector is empty');
      return job(at, {}, actions.deadlineOf(timeout(at, {})));
    });
  };
  methods.add(prototype, '$', query(queryOne));
  methods.add(prototype, '$$', query(queryAll));
  methods.add(prototype, 'waitForSelector', function (selector, options) {
    return waitForSelector(target(this, selector, options), selector, options ?? {});
  });
}

return { addSelectors, queryOne, queryAll, waitForSelector };
}
