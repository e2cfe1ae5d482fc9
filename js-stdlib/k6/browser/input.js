// Keyboard, mouse and touch screen of a page of k6/browser, with the US layout. An expression, called with what the parts share.
(env) => {
const { call, primordials } = env;
const { failure, plainText, send, worded } = env.load('elements');
const { ArrayIsArray, Number, PromisePrototypeThen, String, StringPrototypeSlice } = primordials;

// ---- The layout: code, key code, key, key with Shift, location
const ROWS = [
  ['Escape', 27, 'Escape'], ['F1', 112, 'F1'], ['F2', 113, 'F2'], ['F3', 114, 'F3'], ['F4', 115, 'F4'], ['F5', 116, 'F5'], ['F6', 117, 'F6'],
  ['F7', 118, 'F7'], ['F8', 119, 'F8'], ['F9', 120, 'F9'], ['F10', 121, 'F10'], ['F11', 122, 'F11'], ['F12', 123, 'F12'],
  ['Backquote', 192, '`', '~'], ['Digit1', 49, '1', '!'], ['Digit2', 50, '2', '@'], ['Digit3', 51, '3', '#'], ['Digit4', 52, '4', '$'], ['Digit5', 53, '5', '%'],
  ['Digit6', 54, '6', '^'], ['Digit7', 55, '7', '&'], ['Digit8', 56, '8', '*'], ['Digit9', 57, '9', '('], ['Digit0', 48, '0', ')'], ['Minus', 189, '-', '_'],
  ['Equal', 187, '=', '+'], ['Backslash', 220, '\\', '|'], ['Backspace', 8, 'Backspace'],
  ['Tab', 9, 'Tab'], ['KeyQ', 81, 'q', 'Q'], ['KeyW', 87, 'w', 'W'], ['KeyE', 69, 'e', 'E'], ['KeyR', 82, 'r', 'R'], ['KeyT', 84, 't', 'T'], ['KeyY', 89, 'y', 'Y'],
  ['KeyU', 85, 'u', 'U'], ['KeyI', 73, 'i', 'I'], ['KeyO', 79, 'o', 'O'], ['KeyP', 80, 'p', 'P'], ['BracketLeft', 219, '[', '{'], ['BracketRight', 221, ']', '}'],
  ['CapsLock', 20, 'CapsLock'], ['KeyA', 65, 'a', 'A'], ['KeyS', 83, 's', 'S'], ['KeyD', 68, 'd', 'D'], ['KeyF', 70, 'f', 'F'], ['KeyG', 71, 'g', 'G'],
  ['KeyH', 72, 'h', 'H'], ['KeyJ', 74, 'j', 'J'], ['KeyK', 75, 'k', 'K'], ['KeyL', 76, 'l', 'L'], ['Semicolon', 186, ';', ':'], ['Quote', 222, "'", '"'],
  ['Enter', 13, 'Enter'],
  ['ShiftLeft', 16, 'Shift', '', 1], ['KeyZ', 90, 'z', 'Z'], ['KeyX', 88, 'x', 'X'], ['KeyC', 67, 'c', 'C'], ['KeyV', 86, 'v', 'V'], ['KeyB', 66, 'b', 'B'],
  ['KeyN', 78, 'n', 'N'], ['KeyM', 77, 'm', 'M'], ['Comma', 188, ',', '<'], ['Period', 190, '.', '>'], ['Slash', 191, '/', '?'], ['ShiftRight', 16, 'Shift', '', 2],
  ['ControlLeft', 17, 'Control', '', 1], ['MetaLeft', 91, 'Meta', '', 1], ['AltLeft', 18, 'Alt', '', 1], ['Space', 32, ' '], ['AltRight', 18, 'Alt', '', 2],
  ['AltGraph', 225, 'AltGraph'], ['MetaRight', 92, 'Meta', '', 2], ['ContextMenu', 93, 'ContextMenu'], ['ControlRight', 17, 'Control', '', 2],
  ['PrintScreen', 44, 'PrintScreen'], ['ScrollLock', 145, 'ScrollLock'], ['Pause', 19, 'Pause'],
  ['PageUp', 33, 'PageUp'], ['PageDown', 34, 'PageDown'], ['Insert', 45, 'Insert'], ['Delete', 46, 'Delete'], ['Home', 36, 'Home'], ['End', 35, 'End'],
  ['ArrowLeft', 37, 'ArrowLeft'], ['ArrowUp', 38, 'ArrowUp'], ['ArrowRight', 39, 'ArrowRight'], ['ArrowDown', 40, 'ArrowDown'],
  ['NumLock', 144, 'NumLock'], ['NumpadDivide', 111, '/', '', 3], ['NumpadMultiply', 106, '*', '', 3], ['NumpadSubtract', 109, '-', '', 3], ['NumpadAdd', 107, '+', '', 3],
  ['NumpadEnter', 13, 'Enter', '', 3], ['NumpadDecimal', 46, 'Delete', '.', 3], ['Numpad0', 45, 'Insert', '0', 3], ['Numpad1', 35, 'End', '1', 3],
  ['Numpad2', 40, 'ArrowDown', '2', 3], ['Numpad3', 34, 'PageDown', '3', 3], ['Numpad4', 37, 'ArrowLeft', '4', 3], ['Numpad5', 12, 'Clear', '5', 3],
  ['Numpad6', 39, 'ArrowRight', '6', 3], ['Numpad7', 36, 'Home', '7', 3], ['Numpad8', 38, 'ArrowUp', '8', 3], ['Numpad9', 33, 'PageUp', '9', 3],
];
// What one presses, by code and by key: the first of a key is the one that is meant.
const KEYS = { __proto__: null };
function addKey(name, row, shifted) {
  if (KEYS[name] === undefined) KEYS[name] = { row, shifted };
}
for (let at = 0; at < ROWS.length; at++) addKey(ROWS[at][0], ROWS[at], false);
for (let at = 0; at < ROWS.length; at++) {
  const row = ROWS[at];
  if (row[4] === 3) continue;
  addKey(row[2], row, false);
  if (row[3]) addKey(row[3], row, true);
}
KEYS['\n'] = KEYS['\r'] = KEYS.Enter;

const BITS = { __proto__: null, Alt: 1, Control: 2, Meta: 4, Shift: 8 };
const BUTTONS = { __proto__: null, left: 1, right: 2, middle: 4 };

// The keys and buttons of a page that are down, and where its mouse is.
function state(page) {
  return { page, modifiers: 0, down: { __proto__: null }, x: 0, y: 0, buttons: 0, button: 'none' };
}

// ---- Keys

function keyNamed(input, name) {
  const found = KEYS[name === 'ControlOrMeta' ? 'Control' : name];
  if (found === undefined) throw failure(`${worded(name)} is not a valid key for layout "us"`);
  const row = found.row;
  const shifted = found.shifted || ((input.modifiers & BITS.Shift) !== 0 && row[3] !== undefined && row[3] !== '');
  const key = shifted ? row[3] : row[2];
  const text = input.modifiers & ~BITS.Shift ? '' : key === 'Enter' ? '\r' : key.length === 1 ? key : '';
  return { code: row[0], keyCode: row[1], key, text, location: row[4] ?? 0 };
}
function keyDown(input, name) {
  const key = keyNamed(input, name);
  const autoRepeat = input.down[key.code] === true;
  input.down[key.code] = true;
  input.modifiers |= BITS[key.key] ?? 0;
  return send(input.page, 'Input.dispatchKeyEvent', {
    type: key.text ? 'keyDown' : 'rawKeyDown', modifiers: input.modifiers, windowsVirtualKeyCode: key.keyCode, code: key.code, key: key.key,
    text: key.text, unmodifiedText: key.text, autoRepeat, location: key.location, isKeypad: key.location === 3,
  });
}
function keyUp(input, name) {
  const key = keyNamed(input, name);
  input.modifiers &= ~(BITS[key.key] ?? 0);
  delete input.down[key.code];
  return send(input.page, 'Input.dispatchKeyEvent', {
    type: 'keyUp', modifiers: input.modifiers, windowsVirtualKeyCode: key.keyCode, code: key.code, key: key.key, location: key.location,
  });
}
const insertText = (input, text) => send(input.page, 'Input.insertText', { text });

// `Control+Shift+a`: its keys; a plus sign is one where a key is expected.
function keysOf(combination) {
  const keys = [];
  let key = '';
  for (let at = 0; at < combination.length; at++) {
    if (combination[at] === '+' && key !== '') {
      keys[keys.length] = key;
      key = '';
    } else key += combination[at];
  }
  keys[keys.length] = key;
  return keys;
}
async function press(input, combination, delay) {
  const keys = keysOf(combination);
  const sent = [];
  try {
    for (let at = 0; at < keys.length; at++) sent[at] = keyDown(input, keys[at]);
  } catch (error) {
    // What is down already goes up again.
    for (let at = sent.length; at-- > 0;) await keyUp(input, keys[at]);
    throw failure(`cannot do key down: ${plainText(error)}`);
  }
  if (delay > 0) {
    await all(sent);
    await input.page.link.pause(delay);
  }
  for (let at = keys.length; at-- > 0;) sent[sent.length] = keyUp(input, keys[at]);
  await all(sent);
}
async function type(input, text, delay) {
  for (let at = 0; at < text.length;) {
    const size = text[at] >= '\ud800' && text[at] <= '\udbff' && at + 1 < text.length ? 2 : 1;
    const char = call(StringPrototypeSlice, text, at, at + size);
    at += size;
    if (KEYS[char] !== undefined) await press(input, char, delay);
    else {
      if (delay > 0) await input.page.link.pause(delay);
      await insertText(input, char);
    }
  }
}
// Every promise of a list; the first failure counts, the others are nobody's.
async function all(list) {
  let failed;
  for (let at = 0; at < list.length; at++) call(PromisePrototypeThen, list[at], undefined, () => {});
  for (let at = 0; at < list.length; at++) {
    try {
      await list[at];
    } catch (error) {
      failed ??= error;
    }
  }
  if (failed) throw failed;
}

// ---- The mouse

const mouseEvent = (input, given) => send(input.page, 'Input.dispatchMouseEvent', { x: input.x, y: input.y, modifiers: input.modifiers, ...given });
function moveTo(input, x, y, steps = 1) {
  const from = { x: input.x, y: input.y };
  const sent = [];
  input.x = x;
  input.y = y;
  for (let n = 1; n <= steps; n++) {
    sent[n - 1] = mouseEvent(input, {
      type: 'mouseMoved', x: from.x + (x - from.x) * (n / steps), y: from.y + (y - from.y) * (n / steps), button: input.button, buttons: input.buttons,
    });
  }
  return all(sent);
}
function mouseDown(input, button, clickCount) {
  input.button = button;
  input.buttons |= BUTTONS[button];
  return mouseEvent(input, { type: 'mousePressed', button, buttons: input.buttons, clickCount });
}
function mouseUp(input, button, clickCount) {
  input.button = 'none';
  input.buttons &= ~BUTTONS[button];
  return mouseEvent(input, { type: 'mouseReleased', button, buttons: input.buttons, clickCount });
}
function buttonOf(options) {
  const button = options?.button ?? 'left';
  if (BUTTONS[button] === undefined) throw failure(`${worded(String(button))} is no button of a mouse: left, right or middle`);
  return button;
}
const countOf = (options, usual) => (options?.clickCount === undefined || options.clickCount === null ? usual : Number(options.clickCount));
const delayOf = (options) => Number(options?.delay ?? 0);

// Moves there and presses as often as is asked; every press says the whole number of clicks, as k6's do.
async function click(input, x, y, options, usualCount = 1) {
  const button = buttonOf(options);
  const count = countOf(options, usualCount);
  const delay = delayOf(options);
  const sent = [moveTo(input, x, y)];
  for (let n = 0; n < count; n++) {
    sent[sent.length] = mouseDown(input, button, count);
    if (delay > 0) {
      await all(sent);
      sent.length = 0;
      await input.page.link.pause(delay);
    }
    sent[sent.length] = mouseUp(input, button, count);
    if (delay > 0 && n + 1 < count) await input.page.link.pause(delay);
  }
  await all(sent);
}
async function tap(input, x, y) {
  const sent = [
    send(input.page, 'Input.dispatchTouchEvent', { type: 'touchStart', modifiers: input.modifiers, touchPoints: [{ x, y }] }),
    send(input.page, 'Input.dispatchTouchEvent', { type: 'touchEnd', modifiers: input.modifiers, touchPoints: [] }),
  ];
  await all(sent);
}

// Holds modifiers down while something is done.
async function holding(input, modifiers, job) {
  const held = [];
  if (modifiers !== undefined && modifiers !== null) {
    const list = ArrayIsArray(modifiers) ? modifiers : [modifiers];
    for (let at = 0; at < list.length; at++) {
      const name = list[at] === 'ControlOrMeta' ? 'Control' : String(list[at]);
      if (BITS[name] === undefined) throw failure(`${worded(name)} is no modifier key: Alt, Control, Meta or Shift`);
      if ((input.modifiers & BITS[name]) === 0) {
        held[held.length] = name;
        await keyDown(input, name);
      }
    }
  }
  try {
    return await job();
  } finally {
    for (let at = held.length; at-- > 0;) await keyUp(input, held[at]);
  }
}

// ---- What scripts see

// Says before the text of an error what was being done.
async function doing(what, job) {
  try {
    return await job();
  } catch (error) {
    throw failure(`${what}: ${plainText(error)}`, error);
  }
}

class Keyboard {
  #input;
  constructor(input) {
    this.#input = input;
  }
  down(key) {
    return doing('sending key down', () => keyDown(this.#input, String(key ?? '')));
  }
  up(key) {
    return doing('sending key up', () => keyUp(this.#input, String(key ?? '')));
  }
  press(key, options) {
    return doing('pressing key', () => press(this.#input, String(key ?? ''), delayOf(options)));
  }
  type(text, options) {
    return doing('typing text', () => type(this.#input, String(text ?? ''), delayOf(options)));
  }
  insertText(text) {
    return doing('inserting text', () => insertText(this.#input, String(text ?? '')));
  }
}

const numberOf = (value, name) => {
  const number = Number(value);
  if (number - number !== 0) throw failure(`${name} is to be a number of pixels, not ${String(value)}`);
  return number;
};
class Mouse {
  #input;
  constructor(input) {
    this.#input = input;
  }
  move(x, y, options) {
    return doing('moving mouse', () => {
      const steps = Number(options?.steps ?? 1);
      return moveTo(this.#input, numberOf(x, 'x'), numberOf(y, 'y'), steps > 1 ? steps | 0 : 1);
    });
  }
  down(options) {
    return doing('pressing mouse button', () => mouseDown(this.#input, buttonOf(options), countOf(options, 1)));
  }
  up(options) {
    return doing('releasing mouse button', () => mouseUp(this.#input, buttonOf(options), countOf(options, 1)));
  }
  click(x, y, options) {
    return doing('clicking', () => click(this.#input, numberOf(x, 'x'), numberOf(y, 'y'), options));
  }
  dblClick(x, y, options) {
    return doing('double clicking', () => click(this.#input, numberOf(x, 'x'), numberOf(y, 'y'), { button: options?.button, delay: options?.delay }, 2));
  }
  // The name in the types.
  dblclick(x, y, options) {
    return this.dblClick(x, y, options);
  }
}
class Touchscreen {
  #input;
  constructor(input) {
    this.#input = input;
  }
  tap(x, y) {
    return doing('tapping', () => tap(this.#input, numberOf(x, 'x'), numberOf(y, 'y')));
  }
}

return { state, all, press, type, insertText, click, tap, moveTo, holding, Keyboard, Mouse, Touchscreen };
}
