// Engines may hold the elements of an array literal of constants once, for every array and every VU that is made of it. Nobody
// can tell: whatever is done to one array, another that the literal makes is what it says.
// no log: constant arrays
import { Counter } from 'k6/metrics';

const passed = new Counter('passed');

export const options = {
  scenarios: { all: { executor: 'per-vu-iterations', vus: 4, iterations: 2 } },
  thresholds: { passed: ['count == 8'] },
};

const literals = {
  texts: () => ['a', 'b', 'c', 'd', '1', "it's", 'c'],
  numbers: () => [1, 2, 3.5, -4, -0, 1e300, 0x10, -2147483648, 2147483648],
  others: () => [null, true, false, !0, !1, `text`, `"'`, 7],
  trailing: () => ['a', 'b', 'c', 'd',],
  hole: () => [1, 2, 3, 4, , 6],
  expressions: () => [1, 2, 3, 4 + 1, 'a'.length, -'3', !'x', 5],
  templates: () => ['a', `b`, `c\n`, `d${1 + 1}`, 'e'],
  bigints: () => [1n, 2n, 3n, 4n, -5n],
  negated: () => [-1, -2, - 3, -4, -literals.hole().length],
  long: () => ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9', 'b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8', 'b9',
    'c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9', 'd0', 'd1', 'd2'],
  longer: () => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, { x: 1 }, , 'end', ...['z']],
};

const attempt = (work) => {
  try {
    return work();
  } catch (error) {
    return error.name;
  }
};

const operations = {
  nothing: (a) => a,
  push: (a) => a.push('N', 'M'),
  pop: (a) => a.pop(),
  shift: (a) => a.shift(),
  unshift: (a) => a.unshift(0, 9),
  reverse: (a) => a.reverse(),
  sort: (a) => a.sort((x, y) => (String(x) < String(y) ? -1 : 1)),
  splice: (a) => a.splice(1, 2, 'X', 'Y', 'Z'),
  remove: (a) => a.splice(1, 1),
  clear: (a) => (a.length = 0),
  shorten: (a) => (a.length = 2),
  lengthen: (a) => (a.length = 40),
  set: (a) => (a[1] = { o: 1 }),
  append: (a) => (a[a.length] = 6),
  increment: (a) => a[1]++,
  delete: (a) => delete a[1],
  'define a constant': (a) => Object.defineProperty(a, 1, { value: 4 }),
  'define a value': (a) => Object.defineProperty(a, 0, { value: 4, writable: true, enumerable: true, configurable: true }),
  'define an accessor': (a) => Object.defineProperty(a, 0, { get: () => 9 }),
  freeze: (a) => [attempt(() => (Object.freeze(a)[0] = 1)), attempt(() => a.push(1))],
  seal: (a) => attempt(() => (Object.seal(a)[0] = 1)),
  'prevent extensions': (a) => [attempt(() => Object.preventExtensions(a).push(1)), (a[0] = 5)],
  fill: (a) => a.fill('f', 1, 3),
  copyWithin: (a) => a.copyWithin(0, 2),
  concat: (a) => a.concat(a),
  slice: (a) => a.slice(1),
  map: (a) => a.map((x) => typeof x),
  spread: (a) => [...a, ...a],
  swap: (a) => ([a[0], a[1]] = [a[1], a[0]]),
  keys: (a) => Object.keys(a),
  search: (a) => [a.includes('c'), a.indexOf('c'), a.lastIndexOf('c'), a.findLast((x) => x === 3)],
  join: (a) => a.join(),
  assign: (a) => Object.assign(a, ['p', 'q']),
  names: (a) => Object.keys(Object.fromEntries(a.map((key) => [key, 1]))),
  'a name': (a) => (a.name = 1),
  reflect: (a) => [Reflect.set(a, 0, 'r'), Reflect.deleteProperty(a, 2), Reflect.set(a, 'length', 3)],
  'another prototype': (a) => [Object.setPrototypeOf(a, null)[0], (a[0] = 1)],
  descriptor: (a) => Object.getOwnPropertyDescriptor(a, 0),
  apply: (a) => Math.max(...a.filter((x) => typeof x === 'number')),
  'other arrays': (a) => [a.with(0, 1), a.toReversed(), a.toSpliced(0, 1), a.toSorted()],
};

// What JSON does not tell apart.
const shown = (value) =>
  JSON.stringify(value, (_, x) => {
    if (typeof x === 'bigint') return `${x}n`;
    return Object.is(x, -0) ? '-0' : x === undefined ? 'undefined' : x;
  });

// The same array, made one by one.
const copied = (array) => {
  const copy = [];
  for (let at = 0; at < array.length; at++) {
    if (at in array) copy[at] = array[at];
  }
  return copy;
};

const atFirst = Object.fromEntries(Object.entries(literals).map(([name, make]) => [name, shown(make())]));

export default function () {
  for (const [name, make] of Object.entries(literals)) {
    for (const [what, operate] of Object.entries(operations)) {
      const [literal, copy] = [make(), copied(make())];
      const [got, expected] = [literal, copy].map((array) => `${shown(attempt(() => operate(array)))} of ${attempt(() => shown(array))}`);
      if (got !== expected) throw new Error(`${what} of ${name}: ${got}, not ${expected}`);
      if (shown(make()) !== atFirst[name]) throw new Error(`${what} of ${name} changed the literal: ${shown(make())}`);
    }
  }
  passed.add(1);
}
