// The methods that frames, pages, locators and element handles of k6/browser have alike, in one table: how many arguments come
// before the options, what is said of it in errors, and what it does. An expression, called with what the parts share.
(env) => {
const { primordials } = env;
const { failure, frameOf, pageOf, plainText, shown, textOf, timeout, withEvidence, worded } = env.load('elements');
const actions = env.load('actions');
const { Number, ObjectDefineProperty, ObjectKeys, RegExp, String, TypeError } = primordials;

// `at` is the selector in quotes, or the word element.
const TABLE = {
  __proto__: null,
  click: [0, (at) => `clicking on ${at}`, (target, _, options, deadline) => actions.click(target, options, deadline)],
  dblclick: [0, (at) => `double clicking on ${at}`, (target, _, options, deadline) => actions.dblclick(target, options, deadline)],
  hover: [0, (at) => `hovering on ${at}`, (target, _, options, deadline) => actions.hover(target, options, deadline)],
  tap: [0, (at) => `tapping on ${at}`, (target, _, options, deadline) => actions.tap(target, options, deadline)],
  check: [0, (at) => `checking ${at}`, (target, _, options, deadline) => actions.setChecked(target, true, options, deadline)],
  uncheck: [0, (at) => `unchecking ${at}`, (target, _, options, deadline) => actions.setChecked(target, false, options, deadline)],
  setChecked: [1, (at, given) => `${given[0] ? 'checking' : 'unchecking'} ${at}`, (target, given, options, deadline) => actions.setChecked(target, given[0] === true, options, deadline)],
  fill: [1, (at, given) => `filling ${at} with ${worded(textOf(given[0]))}`, (target, given, options, deadline) => actions.fill(target, textOf(given[0]), options, deadline)],
  type: [1, (at, given) => `typing ${worded(textOf(given[0]))} in ${at}`, (target, given, options, deadline) => actions.type(target, textOf(given[0]), options, deadline)],
  press: [1, (at, given) => `pressing ${worded(textOf(given[0]))} on ${at}`, (target, given, options, deadline) => actions.press(target, textOf(given[0]), options, deadline)],
  selectOption: [1, (at) => `selecting option on ${at}`, (target, given, options, deadline) => actions.selectOption(target, given[0], options, deadline)],
  setInputFiles: [1, (at) => `setting input files on ${at}`, (target, given, options, deadline) => actions.setInputFiles(target, given[0], options, deadline)],
  focus: [0, (at) => `focusing on ${at}`, reading('focus')],
  dispatchEvent: [2, (at, given) => `dispatching event ${worded(textOf(given[0]))} to ${at}`,
    (target, given, options, deadline) => actions.dispatchEvent(target, textOf(given[0]), given[1] ?? {}, options, deadline)],
  selectText: [0, (at) => `selecting text of ${at}`, (target, _, options, deadline) => reading2(target, { op: 'selectText', states: ['visible'], attached: true, force: options.force === true }, deadline)],
  scrollIntoViewIfNeeded: [0, (at) => `scrolling ${at} into view`, (target, _, options, deadline) => reading2(target, { op: 'scroll', states: ['visible'], attached: true, force: options.force === true }, deadline)],
  textContent: [0, (at) => `getting text content of ${at}`, reading('textContent')],
  innerText: [0, (at) => `getting inner text of ${at}`, reading('innerText')],
  innerHTML: [0, (at) => `getting inner HTML of ${at}`, reading('innerHTML')],
  inputValue: [0, (at) => `getting input value of ${at}`, reading('inputValue')],
  getAttribute: [1, (at, given) => `getting attribute ${worded(textOf(given[0]))} of ${at}`, (target, given, options, deadline) => actions.read(target, 'getAttribute', textOf(given[0]), deadline)],
  isChecked: [0, (at) => `checking is ${at} checked`, reading('isChecked')],
  isDisabled: [0, (at) => `checking is ${at} disabled`, reading('isDisabled')],
  isEditable: [0, (at) => `checking is ${at} editable`, reading('isEditable')],
  isEnabled: [0, (at) => `checking is ${at} enabled`, reading('isEnabled')],
  isHidden: [0, (at) => `checking is ${at} hidden`, (target) => actions.readNow(target, 'isHidden', true)],
  isVisible: [0, (at) => `checking is ${at} visible`, (target) => actions.readNow(target, 'isVisible', false)],
  boundingBox: [0, undefined, (target, _, options, deadline) => actions.boundingBox(target, deadline)],
  isInViewport: [0, (at) => `checking is ${at} in viewport`, reading('inViewport')],
};
const SILENT = { __proto__: null, focus: true };

function reading(op) {
  return async (target, _, options, deadline) => {
    const value = await actions.read(target, op, undefined, deadline);
    return SILENT[op] ? undefined : value;
  };
}
async function reading2(target, request, deadline) {
  await actions.ask(target, request, deadline);
}
const shownOf = (target) => (target.handle === undefined ? worded(shown(target)) : 'element');

// Says what was done before what went wrong. Where the user wants to see the page then, the message says where its picture is.
async function told(what, target, job) {
  try {
    return await job();
  } catch (error) {
    const words = what === undefined ? plainText(error) : `${what}: ${plainText(error)}`;
    const why = error.isTimeout ? await withEvidence(pageOf(frameOf(target)), words, error.why) : error.why;
    throw failure(words, { why, isTimeout: error.isTimeout, isStrict: error.isStrict });
  }
}

// Does what a row says to a target with the arguments of a call.
function perform(name, target, given) {
  const row = TABLE[name];
  const options = given[row[0]] ?? {};
  return told(row[1]?.(shownOf(target), given), target, () => {
    if (target.handle === undefined && shown(target) === '') throw failure('provided selector is empty');
    return row[2](target, given, options, actions.deadlineOf(timeout(target, options)));
  });
}

// Gives a class the methods of the table: `targetOf` makes of `this`, its first arguments and options what they are done to.
function addMethods(prototype, names, skipped, targetOf) {
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    add(prototype, name, function (...given) {
      const rest = [];
      for (let from = skipped; from < given.length; from++) rest[from - skipped] = given[from];
      return perform(name, targetOf(this, given, rest[TABLE[name][0]] ?? {}), rest);
    });
  }
}
function add(prototype, name, method) {
  ObjectDefineProperty(method, 'name', { __proto__: null, value: name, configurable: true });
  ObjectDefineProperty(prototype, name, { __proto__: null, value: method, writable: true, configurable: true, enumerable: true });
}

// ---- Selectors that say what one looks for

const isRegExp = (value) => value instanceof RegExp;
// A regular expression in a selector: without quotes and >>, which mean something there.
function pattern(regexp) {
  const source = regexp.source;
  let text = '';
  for (let at = 0; at < source.length; at++) {
    let char = source[at];
    if (char === '\\' && at + 1 < source.length) {
      char = source[++at];
      text += char === '"' ? '\\x22' : char === "'" ? '\\x27' : `\\${char}`;
    } else text += char === '"' ? '\\x22' : char === "'" ? '\\x27' : char === '>' ? '\\x3e' : char;
  }
  return `/${text}/${regexp.flags}`;
}
const wanted = (value, exact) => (isRegExp(value) ? pattern(value) : `${primordials.JSONStringify(textOf(value))}${exact ? 's' : 'i'}`);

function required(value, name) {
  if (value === undefined || value === null) throw new GoError(`missing required argument '${name}'`);
  return value;
}
const exactOf = (options) => options?.exact === true;
const attribute = (name, what) => (value, options) => `internal:attr=[${name}=${wanted(required(value, what), exactOf(options))}]`;

const ROLE_STATES = ['checked', 'disabled', 'selected', 'expanded', 'includeHidden', 'level', 'name', 'pressed'];
function roleSelector(role, options) {
  let selector = `internal:role=${textOf(required(role, 'role'))}`;
  for (let at = 0; at < ROLE_STATES.length; at++) {
    const name = ROLE_STATES[at];
    const value = options?.[name];
    if (value === undefined || value === null) continue;
    if (name === 'name') selector += `[name=${wanted(value, exactOf(options))}]`;
    else selector += `[${name === 'includeHidden' ? 'include-hidden' : name}=${name === 'level' ? Number(value) : String(value)}]`;
  }
  return selector;
}

const BY = {
  __proto__: null,
  getByRole: roleSelector,
  getByText: (text, options) => `internal:text=${wanted(required(text, 'text'), exactOf(options))}`,
  getByLabel: (text, options) => `internal:label=${wanted(required(text, 'label'), exactOf(options))}`,
  getByTestId: (id) => `internal:testid=[data-testid=${wanted(required(id, 'testId'), true)}]`,
  getByPlaceholder: attribute('placeholder', 'placeholder'),
  getByTitle: attribute('title', 'title'),
  getByAltText: attribute('alt', 'altText'),
};

// What the options of locator() and filter() add to a selector.
function filtered(selector, options) {
  let text = selector;
  if (options === undefined || options === null) return text;
  if (options.hasText !== undefined && options.hasText !== null) text += ` >> internal:has-text=${wanted(options.hasText, false)}`;
  if (options.hasNotText !== undefined && options.hasNotText !== null) text += ` >> internal:has-not-text=${wanted(options.hasNotText, false)}`;
  return text;
}
function selectorOf(value) {
  if (value === undefined || value === null) throw new TypeError('missing required argument \'selector\'');
  return String(value);
}

// Gives a class locator(), frameLocator() and the getBy methods: `into(this, selector, isFrame)` makes what they give.
function addLocating(prototype, into) {
  add(prototype, 'locator', function (selector, options) {
    return into(this, filtered(selectorOf(selector), options), false);
  });
  add(prototype, 'frameLocator', function (selector) {
    return into(this, selectorOf(selector), true);
  });
  const names = ObjectKeys(BY);
  for (let at = 0; at < names.length; at++) {
    const selector = BY[names[at]];
    add(prototype, names[at], function (...given) {
      return into(this, selector(given[0], given[1]), false);
    });
  }
}

return { TABLE, told, perform, add, addMethods, addLocating, filtered, shownOf };
}
