// Uint8Array from and to hexadecimal and base64 text, as ECMA-262 says: options, kinds of errors, what is written before one.
// console: done
const array = (...bytes) => new Uint8Array(bytes);
const show = (value) => (value instanceof Uint8Array ? `[${Array.from(value)}]` : typeof value === 'object' ? JSON.stringify(value) : String(value));
const fault = (call) => {
  try {
    return `no error: ${show(call())}`;
  } catch (error) {
    return error instanceof Error && error.constructor === globalThis[error.name] ? error.name : String(error);
  }
};
function same(actual, expected, what) {
  if (actual !== expected) console.log(`${what}: ${actual} instead of ${expected}`);
}
const { fromHex, fromBase64 } = Uint8Array;
const { toHex, toBase64, setFromHex, setFromBase64 } = Uint8Array.prototype;

function shapes() {
  for (const [owner, name, length] of [
    [Uint8Array, 'fromHex', 1], [Uint8Array, 'fromBase64', 1], [Uint8Array.prototype, 'toHex', 0],
    [Uint8Array.prototype, 'toBase64', 0], [Uint8Array.prototype, 'setFromHex', 1], [Uint8Array.prototype, 'setFromBase64', 1],
  ]) {
    const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(owner, name);
    same(`${typeof value} ${value.name} ${value.length} ${writable} ${enumerable} ${configurable}`, `function ${name} ${length} true false true`, name);
    same(fault(() => new value('')), 'TypeError', `new ${name}`);
    same(Object.hasOwn(value, 'prototype'), false, `${name}.prototype`);
  }
  same(Object.hasOwn(Object.getPrototypeOf(Uint8Array), 'fromHex'), false, 'TypedArray.fromHex');
  same(typeof Int8Array.fromHex + typeof new Uint8ClampedArray(1).toHex, 'undefinedundefined', 'other arrays');
}

function hex() {
  for (const [text, bytes] of [['', ''], ['00', '0'], ['deadBEEF', '222,173,190,239'], ['7fFf', '127,255']]) {
    same(show(Uint8Array.fromHex(text)), `[${bytes}]`, `fromHex ${text}`);
    same(Uint8Array.fromHex(text).toHex(), text.toLowerCase(), `toHex ${text}`);
  }
  for (const text of ['a', 'aab', 'zz', ' aa', 'a a', 'aa ', '0x00', 'éé', 'a\0', '\u{1F600}']) same(fault(() => Uint8Array.fromHex(text)), 'SyntaxError', `fromHex ${text}`);
  for (const value of [undefined, null, 0, 10, true, {}, [], ['aa'], { toString: () => 'aa' }, new String('aa')]) {
    same(fault(() => Uint8Array.fromHex(value)), 'TypeError', `fromHex of ${typeof value}`);
    same(fault(() => array(1).setFromHex(value)), 'TypeError', `setFromHex of ${typeof value}`);
  }
  same(fault(() => Uint8Array.fromHex()), 'TypeError', 'fromHex of nothing');
  const into = array(9, 9, 9, 9);
  same(show(into.setFromHex('aabb')) + show(into), '{"read":4,"written":2}[170,187,9,9]', 'setFromHex');
  same(show(array(0).setFromHex('aabb')), '{"read":2,"written":1}', 'no room');
  same(show(array().setFromHex('aabb')), '{"read":0,"written":0}', 'no room at all');
  same(show(array(0).setFromHex('aazz')), '{"read":2,"written":1}', 'what is wrong behind the room');
  const partly = array(9, 9, 9, 9);
  same(fault(() => partly.setFromHex('aabbzz')) + show(partly), 'SyntaxError[170,187,9,9]', 'written before the error');
  same(fault(() => array(1).setFromHex('aab')), 'SyntaxError', 'odd length');
  same(fault(() => array(1).setFromHex('a')), 'SyntaxError', 'odd length, short');
  const part = new Uint8Array(array(1, 2, 3, 4, 5).buffer, 1, 3);
  same(part.toHex() + show(part.setFromHex('ffffffff')) + show(new Uint8Array(part.buffer)), '020304{"read":6,"written":3}[1,255,255,255,5]', 'a part');
}

function base64() {
  for (const [text, bytes] of [
    ['', ''], ['Zg==', '102'], ['Zm8=', '102,111'], ['Zm9v', '102,111,111'], ['Zm9vYg==', '102,111,111,98'],
    ['Zm9vYmE=', '102,111,111,98,97'], ['x+/y', '199,239,242'],
  ]) {
    same(show(Uint8Array.fromBase64(text)), `[${bytes}]`, `fromBase64 ${text}`);
    same(Uint8Array.fromBase64(text).toBase64(), text, `toBase64 ${text}`);
    const bare = text.replace(/=+$/, '');
    same(show(Uint8Array.fromBase64(bare)), `[${bytes}]`, `fromBase64 ${bare}`);
    same(Uint8Array.fromBase64(text).toBase64({ omitPadding: true }), bare, `toBase64 ${bare}`);
    const url = text.replace(/\+/g, '-').replace(/\//g, '_');
    same(Uint8Array.fromBase64(url, { alphabet: 'base64url' }).toBase64({ alphabet: 'base64url' }), url, `base64url ${url}`);
  }
  same(show(Uint8Array.fromBase64(' Z\tm\n8\f=\r ')), '[102,111]', 'whitespace');
  for (const text of ['Z', '=', '==', 'Zg=', 'Zg===', 'Zm9v=', 'Zm8==', 'Zg==Zg==', 'Z-_v', 'Zm9v!', 'Zm\v8=', 'Zm\u00a08=', 'Zm8\u{1F600}', 'Z\0==']) {
    same(fault(() => Uint8Array.fromBase64(text)), 'SyntaxError', `fromBase64 ${JSON.stringify(text)}`);
  }
  for (const text of ['x+/y', 'x+_y']) same(fault(() => Uint8Array.fromBase64(text, { alphabet: 'base64url' })), 'SyntaxError', `url ${text}`);
  for (const value of [undefined, null, 0, true, {}, ['Zg=='], new String('Zg==')]) {
    same(fault(() => Uint8Array.fromBase64(value)), 'TypeError', `fromBase64 of ${typeof value}`);
    same(fault(() => array(1).setFromBase64(value)), 'TypeError', `setFromBase64 of ${typeof value}`);
  }
}

// What each way of handling the last characters makes of a text: bytes, or the error.
function lastChunk() {
  const ways = ['loose', 'strict', 'stop-before-partial'];
  for (const [text, ...expected] of [
    ['ZXhhZg==', '[101,120,97,102]', '[101,120,97,102]', '[101,120,97,102]'],
    ['ZXhhZg', '[101,120,97,102]', 'SyntaxError', '[101,120,97]'],
    ['ZXhhZg=', 'SyntaxError', 'SyntaxError', '[101,120,97]'],
    ['ZXhhZh==', '[101,120,97,102]', 'SyntaxError', '[101,120,97,102]'],
    ['ZXhhZh', '[101,120,97,102]', 'SyntaxError', '[101,120,97]'],
    ['ZXhhZg= =', '[101,120,97,102]', '[101,120,97,102]', '[101,120,97,102]'],
    ['ZXhhZ', 'SyntaxError', 'SyntaxError', '[101,120,97]'],
    ['ZXhhZ=', 'SyntaxError', 'SyntaxError', 'SyntaxError'],
    ['ZXhhZm8=', '[101,120,97,102,111]', '[101,120,97,102,111]', '[101,120,97,102,111]'],
    ['ZXhhZm9=', '[101,120,97,102,111]', 'SyntaxError', '[101,120,97,102,111]'],
    ['ZXhhZm8', '[101,120,97,102,111]', 'SyntaxError', '[101,120,97]'],
    ['ZXhhZg===', 'SyntaxError', 'SyntaxError', 'SyntaxError'],
  ]) {
    ways.forEach((lastChunkHandling, at) => {
      let result = '';
      try {
        result = show(Uint8Array.fromBase64(text, { lastChunkHandling }));
      } catch (error) {
        result = error.name;
      }
      same(result, expected[at], `${text} ${lastChunkHandling}`);
    });
  }
}

function setBase64() {
  const run = (length, text, options) => {
    const into = new Uint8Array(length).fill(9);
    return fault(() => `${show(into.setFromBase64(text, options))}`).replace('no error: ', '') + show(into);
  };
  same(run(4, 'Zm9v'), '{"read":4,"written":3}[102,111,111,9]', 'room left');
  same(run(3, 'Zm9vYmFy'), '{"read":4,"written":3}[102,111,111]', 'no room for the second group');
  same(run(5, 'Zm9vYmFy'), '{"read":4,"written":3}[102,111,111,9,9]', 'room for a part of a group');
  same(run(5, 'Zm9vYmE='), '{"read":8,"written":5}[102,111,111,98,97]', 'room for a last group');
  same(run(4, 'Zm9vYmE='), '{"read":4,"written":3}[102,111,111,9]', 'no room for a last group');
  same(run(0, 'Zm9v!'), '{"read":0,"written":0}[]', 'no room at all');
  same(run(3, 'Zm9v '), '{"read":4,"written":3}[102,111,111]', 'whitespace behind');
  same(run(4, 'Zm9v '), '{"read":5,"written":3}[102,111,111,9]', 'whitespace behind, with room');
  same(run(4, ' '), '{"read":1,"written":0}[9,9,9,9]', 'whitespace only');
  same(run(6, 'Zm9vYm', { lastChunkHandling: 'stop-before-partial' }), '{"read":4,"written":3}[102,111,111,9,9,9]', 'stop');
  same(run(6, 'Zm9vYm\n', { lastChunkHandling: 'stop-before-partial' }), '{"read":4,"written":3}[102,111,111,9,9,9]', 'stop before whitespace');
  same(run(6, 'Zm9v!!!!'), 'SyntaxError[102,111,111,9,9,9]', 'written before the error');
  same(run(6, 'Zm9vYmE', { lastChunkHandling: 'strict' }), 'SyntaxError[102,111,111,9,9,9]', 'strict');
  same(run(3, 'Zm9v!'), '{"read":4,"written":3}[102,111,111]', 'what is wrong behind the room');
  same(run(3, 'x-_y', { alphabet: 'base64url' }), '{"read":4,"written":3}[199,239,242]', 'base64url');
  const result = array(1, 2, 3).setFromBase64('Zg==');
  same(Object.getPrototypeOf(result) === Object.prototype && Object.keys(result).join(), 'read,written', 'the result');
}

function options() {
  for (const given of [null, 1, 'base64', true, Symbol('x'), 1n]) {
    same(fault(() => Uint8Array.fromBase64('', given)), 'TypeError', 'fromBase64 options');
    same(fault(() => array().toBase64(given)), 'TypeError', 'toBase64 options');
    same(fault(() => array(1).setFromBase64('', given)), 'TypeError', 'setFromBase64 options');
  }
  for (const alphabet of [null, 'Base64', '', 'base64 ', 0, new String('base64'), { toString: () => 'base64' }]) {
    same(fault(() => Uint8Array.fromBase64('', { alphabet })), 'TypeError', 'fromBase64 alphabet');
    same(fault(() => array().toBase64({ alphabet })), 'TypeError', 'toBase64 alphabet');
  }
  for (const lastChunkHandling of [null, 'Loose', '', 0, new String('loose')]) {
    same(fault(() => Uint8Array.fromBase64('', { lastChunkHandling })), 'TypeError', 'lastChunkHandling');
  }
  same(show(Uint8Array.fromBase64('Zg==', {})) + show(Uint8Array.fromBase64('Zg==', undefined)), '[102][102]', 'no options');
  same(show(Uint8Array.fromBase64('Zg==', Object.assign(() => {}, { alphabet: undefined }))), '[102]', 'a function as options');
  same(array(102).toBase64({ omitPadding: 1 }) + array(102).toBase64({ omitPadding: '' }), 'ZgZg==', 'omitPadding is true or false');
  same(array(102).toBase64(Object.create({ omitPadding: true })), 'Zg', 'an inherited option');
  const read = [];
  const noting = (object) => new Proxy(object, { get: (_, key) => (read.push(key), undefined) });
  Uint8Array.fromBase64('', noting({}));
  array().toBase64(noting({}));
  array().setFromBase64('', noting({}));
  same(read.join(), 'alphabet,lastChunkHandling,alphabet,omitPadding,alphabet,lastChunkHandling', 'the order of options');
  const getter = { get alphabet() { throw new RangeError('mine'); } };
  same(fault(() => Uint8Array.fromBase64('', getter)), 'RangeError', 'an error of a getter');
  same(fault(() => Uint8Array.fromBase64(1, getter)), 'TypeError', 'the text is looked at first');
  same(fault(() => setFromBase64.call({}, '', getter)), 'TypeError', 'this is looked at before');
}

function receivers() {
  for (const self of [undefined, null, {}, [], new Uint8ClampedArray(1), new Int8Array(1), new Uint16Array(1), new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), Uint8Array.prototype]) {
    for (const method of [toHex, toBase64]) same(fault(() => method.call(self)), 'TypeError', method.name);
    for (const method of [setFromHex, setFromBase64]) same(fault(() => method.call(self, '')), 'TypeError', method.name);
  }
  class Mine extends Uint8Array {
    constructor() {
      throw new Error('must not be called');
    }
  }
  same(Object.getPrototypeOf(Mine.fromHex('aa')) === Uint8Array.prototype, true, 'a class of a script');
  same(Object.getPrototypeOf(Mine.fromBase64('Zg==')) === Uint8Array.prototype, true, 'a class of a script');
  same(show(fromHex('aa')) + show(fromBase64.call(null, 'Zg==')), '[170][102]', 'no receiver');
  const large = new Uint8Array(100_000).map((_, at) => at * 7);
  same(Uint8Array.fromBase64(large.toBase64()).toHex() === large.toHex(), true, 'there and back');
  const made = Uint8Array.fromHex('aabb');
  same(`${made.length} ${made.buffer.byteLength} ${made.byteOffset}`, '2 2 0', 'the buffer');
}

export default function () {
  shapes();
  hex();
  base64();
  lastChunk();
  setBase64();
  options();
  receivers();
  console.log('done');
}
