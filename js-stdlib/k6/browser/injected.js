// What runs in a page, part 2: waiting, whether an element is ready, and what is done to it. An expression for
// Runtime.evaluate after injected_selectors.js.
//
// `volley.run(request, node?)` gives an outcome: { value }, { fail: text } or { timeout: why }. Whatever waits, waits here.
(() => {
'use strict';
if (volley.run) return;
const { normal, styleOf, parentOf, isVisible, queryAll, Refused } = volley.shared;

// ---- What state an element is in

// The control that is meant where a label or something inside of a button is named.
function control(el, followLabel) {
  if (el.matches('input, textarea, select, option') || el.isContentEditable) return el;
  const button = el.closest('button, [role=button], [role=checkbox], [role=radio]');
  if (button) return button;
  return (followLabel && el.closest('label')?.control) || el;
}
const isDisabled = (el) => control(el, false).matches(':disabled');
const isReadOnly = (el) => (el.matches('input, textarea') && el.readOnly) || (el.getAttribute('aria-readonly') === 'true' && !el.matches('input, textarea, select'));
const isEditable = (el) => !isDisabled(el) && !isReadOnly(control(el, true));
function isChecked(el) {
  const box = control(el, true);
  const role = box.getAttribute('role');
  if (/^(?:checkbox|radio|switch|menuitemcheckbox|menuitemradio|option|treeitem)$/.test(role ?? '') && box.nodeName !== 'INPUT') return box.getAttribute('aria-checked') === 'true';
  if (box.nodeName !== 'INPUT' || (box.type !== 'checkbox' && box.type !== 'radio')) throw new Refused('not a checkbox or radio button');
  return box.checked;
}

// ---- Why an element is not ready, in words

// An element in short: its tag with id and class.
function sketch(el) {
  let text = el.nodeName.toLowerCase();
  for (const name of ['id', 'class', 'name', 'type', 'role']) {
    const value = el.getAttribute(name);
    if (value) text += ` ${name}="${value.length > 40 ? `${value.slice(0, 40)}...` : value}"`;
  }
  return `<${text}>`;
}
function whyHidden(el) {
  for (let at = el; at; at = parentOf(at)) {
    const style = styleOf(at);
    const whose = at === el ? 'it' : sketch(at);
    if (style?.display === 'none') return `${whose} has display: none`;
    if (at === el && style && style.visibility !== 'visible') return `it has visibility: ${style.visibility}`;
  }
  const box = el.getBoundingClientRect();
  return `its box is ${Math.round(box.width)} x ${Math.round(box.height)} pixels`;
}

const STATES = {
  visible: (el) => (isVisible(el) ? '' : `${sketch(el)} is not visible: ${whyHidden(el)}`),
  hidden: (el) => (!el.isConnected || !isVisible(el) ? '' : `${sketch(el)} is visible`),
  enabled: (el) => (isDisabled(el) ? `${sketch(el)} is disabled` : ''),
  disabled: (el) => (isDisabled(el) ? '' : `${sketch(el)} is enabled`),
  editable: (el) => (isDisabled(el) ? `${sketch(el)} is disabled` : isReadOnly(control(el, true)) ? `${sketch(el)} is read-only` : ''),
};

// ---- Waiting

// The next frame; false where none was drawn in time: a busy machine draws late, a page nobody sees is not drawn.
const frame = () => new Promise((resolve) => {
  let timer = 0;
  const id = requestAnimationFrame(() => {
    clearTimeout(timer);
    resolve(true);
  });
  timer = setTimeout(() => {
    cancelAnimationFrame(id);
    resolve(false);
  }, 100);
});

// Where a page may run no scripts, timers never end: then frames are counted.
let timersRun = false;
setTimeout(() => { timersRun = true; });

// Until something changes in the document, at most so many milliseconds.
function change(limit) {
  return new Promise((resolve) => {
    const end = performance.now() + limit;
    let isOver = false;
    const finish = () => {
      isOver = true;
      clearTimeout(timer);
      observer.disconnect();
      resolve();
    };
    const timer = setTimeout(finish, Math.max(0, limit));
    const observer = new MutationObserver(() => frame().then(finish));
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    const look = () => {
      if (isOver || timersRun) return;
      if (performance.now() >= end) finish();
      else requestAnimationFrame(look);
    };
    look();
  });
}

// Tries until an attempt gives another outcome than { why }. The first attempt is made at once.
function until(timeout, attempt) {
  const end = timeout > 0 ? performance.now() + timeout : Infinity;
  let tries = 0;
  const judge = (outcome) => {
    if (outcome.why === undefined) return outcome;
    const left = end - performance.now();
    if (left <= 0) return { timeout: outcome.why };
    return change(Math.min(left, tries++ < 5 ? 20 : 100)).then(next);
  };
  const next = () => {
    const outcome = attempt(end);
    return outcome instanceof Promise ? outcome.then(judge) : judge(outcome);
  };
  return next();
}

// What is said of a handle whose element has left the page.
const torn = ({ op }) => `${op === 'point' || op === 'check' ? 'scrolling element into view: ' : ''}element is not attached to the DOM`;

// The element of a request: the one it comes with, or the one its selector finds.
function find(request, node) {
  if (request.selector === undefined) return node.isConnected || !request.attached ? { element: node } : { fail: torn(request) };
  const list = queryAll(node ?? document, request.selector);
  if (request.strict && list.length > 1) return { fail: 'strict mode violation, multiple elements returned for selector query', strict: true };
  return list.length ? { element: list[0] } : { why: `no element matches ${request.shown ?? request.selector}` };
}

// An outcome for what throws: what a selector or an element can't be is for good.
function guarded(job) {
  const refuse = (error) => (error instanceof Refused ? { fail: error.message } : { fail: `${error.name}: ${error.message}` });
  try {
    const outcome = job();
    return outcome instanceof Promise ? outcome.catch(refuse) : outcome;
  } catch (error) {
    return refuse(error);
  }
}

// How often a frame is waited for at most before an element that has not moved is still.
const FRAME_WAITS = 10;

// Whether the box of an element changes within two frames: on a busy machine one of them may show what the last one did. Only
// frames that are drawn count, except where none is drawn because nobody sees the page.
async function moves(el) {
  let before = el.getBoundingClientRect();
  for (let drawn = 0, waits = 0; drawn < 2 && waits < FRAME_WAITS; waits++) {
    if (await frame() || document.visibilityState === 'hidden') drawn++;
    const after = el.getBoundingClientRect();
    if (before.x !== after.x || before.y !== after.y || before.width !== after.width || before.height !== after.height) return true;
    before = after;
  }
  return false;
}

// ---- Where to point

function hitAt(x, y) {
  let el = document.elementFromPoint(x, y);
  while (el?.shadowRoot) {
    const inner = el.shadowRoot.elementFromPoint(x, y);
    if (!inner || inner === el) break;
    el = inner;
  }
  return el;
}
// Whether what is hit belongs to the element: is in it, or in a label of it.
function belongs(hit, el) {
  const target = control(el, false);
  for (let at = hit; at; at = at.assignedSlot ?? parentOf(at)) {
    if (at === el || at === target) return true;
    if (at.nodeName === 'LABEL' && at.control === el) return true;
  }
  return false;
}

// The point of an element that is to be hit, in the viewport of its frame: the middle of what can be seen of it.
function pointOf(el, position) {
  if (position) {
    const box = el.getBoundingClientRect();
    return { x: box.left + el.clientLeft + position.x, y: box.top + el.clientTop + position.y };
  }
  const width = document.documentElement.clientWidth;
  const height = document.documentElement.clientHeight;
  for (const box of el.getClientRects()) {
    const left = Math.max(box.left, 0);
    const top = Math.max(box.top, 0);
    const right = Math.min(box.right, width);
    const bottom = Math.min(box.bottom, height);
    if (right - left > 0.5 && bottom - top > 0.5) return { x: (left + right) / 2, y: (top + bottom) / 2 };
  }
  return undefined;
}

const ALIGNMENTS = [undefined, { block: 'center', inline: 'center' }, { block: 'end', inline: 'end' }, { block: 'start', inline: 'start' }];

// Scrolls an element to where its point can be hit; { point } or { why }.
function aim(el, { position, force }) {
  let why = `${sketch(el)} is outside of the viewport`;
  for (const alignment of ALIGNMENTS) {
    if (alignment === undefined) el.scrollIntoViewIfNeeded?.(true);
    else el.scrollIntoView({ behavior: 'instant', ...alignment });
    const point = pointOf(el, position);
    if (!point) continue;
    if (force) return { point };
    const hit = hitAt(point.x, point.y);
    if (hit === null) continue;
    if (belongs(hit, el)) return { point };
    why = position && hit.contains(el) ? `the position is outside of ${sketch(el)}` : `${sketch(el)} is covered by ${sketch(hit)}`;
  }
  return { why };
}

// ---- Watching what is hit

// What the mouse and touches cause.
const POINTER_EVENTS = [
  'pointermove', 'mousemove', 'pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click', 'auxclick', 'dblclick', 'contextmenu', 'touchstart', 'touchmove', 'touchend',
];
// How far from its point an event of an action may be, in pixels: some events have whole ones.
const NEAR = 1;

const watches = new Map();
let lastWatch = 0;

// Between the look at an element and the events sent to it, another may have taken its place. From now on events at the point are
// looked at, until `unwatch`: those of an action that hits something else are kept from the page. What the pressed element's own
// handlers do to it is the page's affair, as is whatever comes after a hit. The number of the watch.
function watch(el, point, isHover) {
  const state = { isDecided: false, isSeen: false, missed: null, what: () => sketch(el) };
  const look = (event) => {
    const at = event.changedTouches?.[0] ?? event;
    if (!event.isTrusted) return;
    state.isSeen = true;
    if (Math.abs(at.clientX - point.x) > NEAR || Math.abs(at.clientY - point.y) > NEAR) return;
    const isPress = event.type.endsWith('down') || event.type === 'touchstart';
    if (!state.isDecided && (isPress || event.type.endsWith('move'))) {
      const target = event.composedPath()[0];
      const hit = target.hasPointerCapture?.(event.pointerId) ? hitAt(at.clientX, at.clientY) : target;
      if (!belongs(hit, el)) state.missed = `${sketch(el)} was aimed at, but ${hit instanceof Element ? sketch(hit) : 'nothing'} was hit`;
      state.isDecided = isPress || isHover || state.missed !== null;
    }
    if (state.missed === null) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const options = { capture: true, passive: false };
  for (const type of POINTER_EVENTS) addEventListener(type, look, options);
  state.end = () => {
    for (const type of POINTER_EVENTS) removeEventListener(type, look, options);
  };
  watches.set(++lastWatch, state);
  return lastWatch;
}
// Ends a watch; what is said if another element was hit, or nothing where something must have been, else null.
function unwatch(number, mustBeSeen) {
  const state = watches.get(number);
  watches.delete(number);
  state?.end();
  return state?.missed ?? (mustBeSeen && state?.isSeen === false ? `${state.what()} was aimed at, but nothing in its frame was hit` : null);
}

// ---- What is done to an element that is ready

const INPUT_KINDS = {
  typed: new Set(['', 'email', 'number', 'password', 'search', 'tel', 'text', 'url']),
  set: new Set(['color', 'date', 'time', 'datetime-local', 'month', 'range', 'week']),
};

// Makes an element ready for a text to be inserted; true when nothing is left to insert.
function fill(el, text) {
  const field = control(el, true);
  if (field.nodeName === 'INPUT') {
    const kind = field.type.toLowerCase();
    if (!INPUT_KINDS.typed.has(kind) && !INPUT_KINDS.set.has(kind)) throw new Refused('input of this type cannot be filled');
    if (kind === 'number' && text.trim() !== '' && Number.isNaN(Number(text.trim()))) throw new Refused('cannot type text into input[type=number]');
    if (INPUT_KINDS.set.has(kind)) {
      const value = kind === 'color' ? text.trim().toLowerCase() : text.trim();
      field.focus();
      field.value = value;
      if (field.value !== value) throw new Refused('malformed value');
      announce(field);
      return true;
    }
  } else if (field.nodeName !== 'TEXTAREA' && !field.isContentEditable) {
    throw new Refused('element is not an <input>, <textarea> or [contenteditable] element');
  }
  select(field);
  if (text !== '') return false;
  document.execCommand('delete');
  return true;
}
function announce(el) {
  el.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
  el.dispatchEvent(new Event('change', { bubbles: true }));
}
function select(el) {
  if (el.nodeName === 'INPUT' || el.nodeName === 'TEXTAREA') {
    el.focus();
    el.select();
    return;
  }
  el.focus();
  const range = el.ownerDocument.createRange();
  range.selectNodeContents(el);
  const selection = el.ownerDocument.defaultView.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

// Chooses options; { value } is what is chosen then, { why } which one is missing.
function choose(el, wanted, nodes) {
  const list = control(el, true);
  if (list.nodeName !== 'SELECT') throw new Refused('element is not a <select> element');
  const options = [...list.options];
  const chosen = new Set();
  const picks = wanted.length ? wanted : nodes;
  for (let at = 0; at < picks.length; at++) {
    const pick = picks[at];
    const option = options.find((option, index) => {
      if (pick instanceof Node) return option === pick;
      if (typeof pick === 'string') return option.value === pick || normal(option.label) === normal(pick);
      return (pick.value === undefined || option.value === pick.value) && (pick.label === undefined || normal(option.label) === normal(pick.label)) && (pick.index === undefined || index === pick.index);
    });
    if (!option) return { why: `${sketch(list)} has no option ${pick instanceof Node ? sketch(pick) : JSON.stringify(pick)}` };
    chosen.add(option);
    if (!list.multiple) break;
  }
  if (list.multiple) for (const option of options) option.selected = chosen.has(option);
  else if (!chosen.size) list.selectedIndex = -1;
  for (const option of chosen) option.selected = true;
  list.focus();
  announce(list);
  return { value: options.filter((option) => option.selected && chosen.has(option)).map((option) => option.value) };
}

const EVENTS = [
  [/^(?:auxclick|click|contextmenu|dblclick|mouse\w+)$/, 'MouseEvent'], [/^(?:pointer\w+|gotpointercapture|lostpointercapture)$/, 'PointerEvent'],
  [/^key(?:down|up|press)$/, 'KeyboardEvent'], [/^touch(?:start|end|move|cancel)$/, 'TouchEvent'], [/^(?:focus|blur|focusin|focusout)$/, 'FocusEvent'],
  [/^drag\w*$|^drop$/, 'DragEvent'], [/^wheel$/, 'WheelEvent'],
];
function dispatch(el, type, init) {
  const kind = EVENTS.find((row) => row[0].test(type))?.[1] ?? 'Event';
  const given = { bubbles: true, cancelable: true, composed: true, ...init };
  if (kind === 'TouchEvent') {
    for (const name of ['touches', 'targetTouches', 'changedTouches']) if (given[name]) given[name] = given[name].map((touch) => new Touch({ target: el, identifier: 0, ...touch }));
  }
  el.dispatchEvent(new globalThis[kind](type, given));
}

function takeFiles(el, files) {
  const field = control(el, true);
  if (field.nodeName !== 'INPUT' || field.type !== 'file') throw new Refused('node is not an input[type=file] element');
  if (files.length > 1 && !field.multiple) throw new Refused('non-multiple file input can only accept single file');
  const transfer = new DataTransfer();
  for (const file of files) {
    const bytes = Uint8Array.from(atob(file.buffer), (c) => c.charCodeAt(0));
    transfer.items.add(new File([bytes], file.name, { type: file.type }));
  }
  field.files = transfer.files;
  announce(field);
}

function valueOf(el) {
  const field = control(el, true);
  if (!field.matches('input, textarea, select')) throw new Refused('Error: Node is not an <input>, <textarea> or <select> element');
  return field.value;
}
function boxOf(el) {
  if (!el.getClientRects().length) return null;
  const { x, y, width, height } = el.getBoundingClientRect();
  return { x, y, width, height };
}
const htmlOnly = (el) => {
  if (!(el instanceof HTMLElement)) throw new Refused('Node is not an HTMLElement');
  return el;
};

// What is asked of an element, or done to it, once its states are as wanted.
const OPS = {
  textContent: (el) => el.textContent,
  innerText: (el) => htmlOnly(el).innerText,
  innerHTML: (el) => el.innerHTML,
  getAttribute: (el, name) => el.getAttribute(name),
  inputValue: valueOf,
  isChecked,
  isDisabled,
  isEnabled: (el) => !isDisabled(el),
  isEditable,
  isVisible,
  isHidden: (el) => !isVisible(el),
  inViewport: (el) => {
    const box = el.getBoundingClientRect();
    return box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth && isVisible(el);
  },
  box: boxOf,
  focus: (el) => { el.focus(); },
  dispatch: (el, { type, init }) => { dispatch(el, type, init); },
  fill,
  selectText: (el) => { select(control(el, true)); },
  scroll: (el) => { el.scrollIntoViewIfNeeded?.(true); },
  sketch,
  // A point of what is in a frame, seen from the document its element is in, and what is over it there.
  through: (el, { x, y, force }) => {
    const box = el.getBoundingClientRect();
    const style = styleOf(el);
    const scale = el.offsetWidth ? box.width / el.offsetWidth : 1;
    const at = { x: box.left + (el.clientLeft + parseFloat(style.paddingLeft) + x) * scale, y: box.top + (el.clientTop + parseFloat(style.paddingTop) + y) * scale, scale };
    const hit = force ? el : hitAt(at.x, at.y);
    if (hit !== el) at.why = hit ? `the frame ${sketch(el)} is covered by ${sketch(hit)}` : `the frame ${sketch(el)} is outside of the viewport`;
    return at;
  },
};

// The first state that is not as wanted.
const unlike = (el, states) => {
  for (const name of states) {
    const why = STATES[name](el);
    if (why) return why;
  }
  return '';
};

async function pointWhenReady(el, request) {
  if (!request.force) {
    const why = unlike(el, request.states);
    if (why) return { why };
    // A frame of another site gets hardly any time while it is out of sight; what is in it is brought there anyway.
    if (window !== window.top) el.scrollIntoViewIfNeeded?.(true);
    if (await moves(el)) return { why: `${sketch(el)} is moving` };
    if (!el.isConnected) return request.selector === undefined ? { fail: torn(request) } : { why: 'the element was replaced' };
  }
  const aimed = aim(el, request);
  if (!aimed.point) return aimed;
  return { value: request.watch === undefined ? aimed.point : { ...aimed.point, watch: watch(el, aimed.point, request.watch === 'hover') } };
}

function attempt(request, node, others) {
  const found = find(request, node);
  if (!found.element) return found;
  const el = found.element;
  switch (request.op) {
    case 'point':
      return pointWhenReady(el, request);
    case 'check': {
      let checked;
      try {
        checked = isChecked(el);
      } catch (error) {
        return { why: `${sketch(el)} is ${error.message}` };
      }
      if (checked === request.arg) return { value: null };
      if (request.clicked) return { why: `clicking on ${sketch(el)} did not change its state` };
      return pointWhenReady(el, request);
    }
    case 'choose': {
      const why = request.force ? '' : unlike(el, request.states);
      return why ? { why } : choose(el, request.arg, others);
    }
    case 'files':
      takeFiles(el, request.arg);
      // Pages read what they are given before they show it.
      return frame().then(frame).then(() => ({ value: null }));
    case 'stable':
      return moves(el).then((moving) => (moving ? { why: `${sketch(el)} is moving` } : { value: true }));
    case 'state': {
      const why = unlike(el, request.states);
      return why ? { why } : { value: true };
    }
    default: {
      const why = request.force ? '' : unlike(el, request.states ?? []);
      return why ? { why } : { value: OPS[request.op](el, request.arg) ?? null };
    }
  }
}

// Waits for the state of what a selector finds: an element, or null where none is wanted.
function waitFor(request, node) {
  return until(request.timeout, () => {
    const list = queryAll(node ?? document, request.selector);
    if (request.strict && list.length > 1) return { fail: 'strict mode violation, multiple elements returned for selector query', strict: true };
    const el = list[0];
    const missing = `no element matches ${request.shown ?? request.selector}`;
    switch (request.state) {
      case 'attached':
        return el ? { value: el } : { why: missing };
      case 'detached':
        return el ? { why: `${sketch(el)} is in the page` } : { value: null };
      case 'hidden':
        return !el || !isVisible(el) ? { value: null } : { why: `${sketch(el)} is visible` };
      default:
        return !el ? { why: missing } : isVisible(el) ? { value: el } : { why: STATES.visible(el) };
    }
  });
}

// An element itself, for a handle: what is no element is thrown as an outcome.
const bare = (outcome) => {
  const give = (outcome) => {
    if ('value' in outcome) return outcome.value;
    throw new Error(`volley:${JSON.stringify(outcome)}`);
  };
  return outcome instanceof Promise ? outcome.then(give) : give(outcome);
};

Object.assign(volley, {
  run(request, node, ...others) {
    return guarded(() => {
      // What asks for no wait says of what is not there what is said of nothing.
      if (request.now !== undefined) {
        const found = find(request, node);
        return found.element ? { value: OPS[request.op](found.element, request.arg) ?? null } : found.fail ? found : { value: request.now };
      }
      return until(request.timeout, () => attempt(request, node, others));
    });
  },
  unwatch: ({ watch, mustBeSeen }) => guarded(() => ({ value: unwatch(watch, mustBeSeen) })),
  count: (request, node) => guarded(() => ({ value: queryAll(node ?? document, request.selector).length })),
  wait: (request, node) => guarded(() => {
    const shown = (outcome) => (outcome.value ? { value: true } : outcome);
    const outcome = waitFor(request, node);
    return outcome instanceof Promise ? outcome.then(shown) : shown(outcome);
  }),
  // These give elements.
  element: (request, node) => bare(guarded(() => until(request.timeout, () => {
    const found = find(request, node);
    return found.element ? { value: found.element } : found;
  }))),
  first: (request, node) => bare(guarded(() => ({ value: queryAll(node ?? document, request.selector)[0] ?? null }))),
  waited: (request, node) => bare(guarded(() => waitFor(request, node))),
  all: (request, node) => bare(guarded(() => ({ value: queryAll(node ?? document, request.selector) }))),
});
})();
