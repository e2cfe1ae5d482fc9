// Engines may make parts of the language when they are first touched. Nobody can tell, whatever touches them first: a literal,
// a method of another class, a name, a module of k6, or what puts something in their place.
// no log: first touch
import encoding from 'k6/encoding';
import { Counter } from 'k6/metrics';

const passed = new Counter('passed');

export const options = {
  scenarios: { all: { executor: 'per-vu-iterations', vus: 6, iterations: 6 } },
  thresholds: { passed: ['count == 36'] },
};

const same = (what, got, expected) => {
  if (got !== expected) throw new Error(`first touch of ${what}: ${got}, not ${expected}`);
};

// By iteration of the VU, so that in each VU another one comes first.
const first = [
  () => {
    same('literal', /b(?<n>c)/.exec('abc').groups.n, 'c');
    same('its prototype', Object.getPrototypeOf(/x/), RegExp.prototype);
    same('its constructor', /x/.constructor, RegExp);
    same('its flags', /x/giu.flags, 'giu');
  },
  () => {
    same('match', 'abc'.match('b').index, 1);
    same('search', 'abc'.search('c'), 2);
    same('matchAll', [...'aXbX'.matchAll('X')].length, 2);
  },
  () => {
    const bytes = encoding.b64decode('AQID');
    same('bytes of a module', new Uint8Array(bytes).join(), '1,2,3');
    same('their prototype', Object.getPrototypeOf(bytes), ArrayBuffer.prototype);
  },
  () => {
    const original = Date;
    globalThis.Date = class extends original {
      constructor() {
        super(0);
      }
    };
    same('a class in its place', new Date(5).toISOString(), '1970-01-01T00:00:00.000Z');
    globalThis.Date = original;
    same('the original', new Date(5).getTime(), 5);
  },
  () => {
    const original = Map.prototype.forEach;
    Map.prototype.forEach = () => {
      throw new Error('replaced');
    };
    same('a map', new Map([[1, 2]]).get(1), 2);
    Map.prototype.forEach = original;
    delete globalThis.WeakSet;
    same('what was deleted', typeof WeakSet, 'undefined');
    same('its neighbour', new WeakMap() instanceof WeakMap, true);
  },
  () => {
    for (const name of ['Date', 'RegExp', 'Map', 'Set', 'WeakMap', 'ArrayBuffer', 'Int8Array', 'Float64Array', 'DataView']) {
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(globalThis, name);
      same(name, `${value.name} ${writable} ${enumerable} ${configurable}`, `${name} true false true`);
      same(`${name} again`, globalThis[name], value);
      same(`${name}'s constructor`, value.prototype.constructor, value);
    }
    same('bytes per element', Float64Array.BYTES_PER_ELEMENT, 8);
    same('the class of all', Object.getPrototypeOf(Int8Array), Object.getPrototypeOf(Uint8Array));
    for (const absent of ['SharedArrayBuffer', 'Float16Array', 'Atomics', 'DisposableStack']) {
      same(absent, absent in globalThis, false);
    }
    same('a member k6 has not', 'groupBy' in Map || 'getYear' in Date.prototype || 'escape' in RegExp, false);
  },
];

export default function () {
  first[(__ITER + __VU) % first.length]();
  passed.add(1);
}
