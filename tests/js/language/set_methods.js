// The methods of Set that take another set, as ECMA-262 says: what is asked of the other one, in which order, and the order of
// what comes out.
// console: done
const METHODS = ['union', 'intersection', 'difference', 'symmetricDifference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom'];
const set = (...items) => new Set(items);
const show = (value) => (value instanceof Set ? `{${[...value].map((item) => (Object.is(item, -0) ? '-0' : String(item)))}}` : String(value));
const fault = (call) => {
  try {
    return `no error: ${show(call())}`;
  } catch (error) {
    return error.name;
  }
};
function same(actual, expected, what) {
  if (actual !== expected) console.log(`${what}: ${actual} instead of ${expected}`);
}
// Anything with `size`, `has` and `keys` is a set.
const like = (items, more) => ({ size: items.length, has: (item) => items.includes(item), keys: () => items[Symbol.iterator](), ...more });

function results() {
  const table = [
    // this, other, then the results in the order of METHODS
    [[1, 2, 3], [3, 2, 4], '{1,2,3,4}', '{2,3}', '{1}', '{1,4}', 'false', 'false', 'false'],
    [[1, 2, 3, 4], [4, 2], '{1,2,3,4}', '{4,2}', '{1,3}', '{1,3}', 'false', 'true', 'false'],
    [[4, 2], [1, 2, 3, 4], '{4,2,1,3}', '{4,2}', '{}', '{1,3}', 'true', 'false', 'false'],
    [[1, 2], [3], '{1,2,3}', '{}', '{1,2}', '{1,2,3}', 'false', 'false', 'true'],
    [[], [1], '{1}', '{}', '{}', '{1}', 'true', 'false', 'true'],
    [[1], [], '{1}', '{}', '{1}', '{1}', 'false', 'true', 'true'],
    [[], [], '{}', '{}', '{}', '{}', 'true', 'true', 'true'],
    [[NaN, 'a'], [NaN], '{NaN,a}', '{NaN}', '{a}', '{a}', 'false', 'true', 'false'],
  ];
  for (const [mine, other, ...expected] of table) {
    METHODS.forEach((name, at) => {
      for (const given of [set(...other), like(other), new Map(other.map((item) => [item, 1]))]) {
        same(show(set(...mine)[name](given)), expected[at], `{${mine}}.${name}({${other}})`);
      }
    });
  }
  same(show(set(1).union(like([-0]))) + show(set(1, 2, 3).intersection(like([-0]))) + show(set(0, 1).intersection(like([-0]))), '{1,0}{}{0}', '-0');
  same(show(set(1).symmetricDifference(like([-0, 1]))), '{0}', '-0 in the difference');
  const mine = set(1);
  same(String(mine.union(set()) === mine), 'false', 'a new set');
}

function shapes() {
  for (const name of METHODS) {
    const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(Set.prototype, name);
    same(`${value.name} ${value.length} ${writable} ${enumerable} ${configurable} ${Object.hasOwn(value, 'prototype')}`, `${name} 1 true false true false`, name);
    same(fault(() => new value(set())), 'TypeError', `new ${name}`);
    for (const self of [undefined, null, 1, {}, [], new Map(), new WeakSet(), Set.prototype]) same(fault(() => value.call(self, set())), 'TypeError', `${name} of no set`);
    for (const other of [undefined, null, 1, 'ab', [1], {}, true, Symbol('x')]) same(fault(() => set(1)[name](other)), 'TypeError', `${name}(${typeof other})`);
    for (const [more, expected] of [
      [{ size: undefined }, 'TypeError'], [{ size: NaN }, 'TypeError'], [{ size: 'x' }, 'TypeError'], [{ size: 1n }, 'TypeError'],
      [{ size: -1 }, 'RangeError'], [{ size: -Infinity }, 'RangeError'], [{ has: undefined }, 'TypeError'], [{ has: 1 }, 'TypeError'],
      [{ keys: undefined }, 'TypeError'], [{ keys: {} }, 'TypeError'], [{ size: { valueOf() { throw new EvalError('mine'); } } }, 'EvalError'],
    ]) {
      same(fault(() => set(1)[name](like([1], more))), expected, `${name} ${Object.keys(more)} ${String(Object.values(more)[0])}`);
    }
    for (const size of ['1', 1.9, Infinity, { valueOf: () => 1 }, true]) same(fault(() => set(1)[name](like([1], { size }))).slice(0, 8), 'no error', `${name} size`);
    class Mine extends Set {
      static get [Symbol.species]() {
        throw new Error('must not be asked');
      }
    }
    const made = new Mine([1])[name](set(1));
    same(typeof made === 'boolean' || Object.getPrototypeOf(made) === Set.prototype, true, `${name} of a class of a script`);
  }
}

// What is asked of the other one.
function questions() {
  const asked = [];
  const noting = (items) => ({
    get size() {
      asked.push('get size');
      return { valueOf: () => (asked.push('size'), items.length) };
    },
    get has() {
      asked.push('get has');
      return (item) => (asked.push(`has ${item}`), items.includes(item));
    },
    get keys() {
      asked.push('get keys');
      return () => {
        asked.push('keys');
        const from = items[Symbol.iterator]();
        return {
          get next() {
            asked.push('get next');
            return () => (asked.push('next'), from.next());
          },
          return: () => (asked.push('return'), {}),
        };
      };
    },
  });
  const record = 'get size,size,get has,get keys';
  const check = (name, mine, other, expected) => {
    asked.length = 0;
    set(...mine)[name](noting(other));
    same(asked.join(), [record, expected].filter((text) => text).join(), `${name} asks`);
  };
  check('union', [1], [2], 'keys,get next,next,next');
  check('intersection', [1, 2], [2, 3], 'has 1,has 2');
  check('intersection', [1, 2], [3], 'keys,get next,next,next');
  check('difference', [1, 2], [2, 3], 'has 1,has 2');
  check('difference', [1, 2], [3], 'keys,get next,next,next');
  check('symmetricDifference', [1, 2], [3], 'keys,get next,next,next');
  check('isSubsetOf', [1, 2], [1], '');
  check('isSubsetOf', [1, 2], [2, 3], 'has 1');
  check('isSupersetOf', [1], [1, 2], '');
  check('isSupersetOf', [1, 2], [3, 1], 'keys,get next,next,return');
  check('isDisjointFrom', [1, 2], [2, 3], 'has 1,has 2');
  check('isDisjointFrom', [1, 2], [2], 'keys,get next,next,return');
}

// What of the language a script has replaced is not called; what the other set changes meanwhile is seen.
function changed() {
  const kept = { add: Set.prototype.add, has: Set.prototype.has, iterator: Set.prototype[Symbol.iterator] };
  const calls = [];
  Set.prototype.add = function (item) {
    calls.push('add');
    return kept.add.call(this, item);
  };
  const [three, one] = [kept.add.call(kept.add.call(kept.add.call(new Set(), 1), 2), 3), kept.add.call(new Set(), 2)];
  Set.prototype[Symbol.iterator] = () => {
    throw new Error('must not be called');
  };
  for (const name of METHODS) one[name](three);
  const sizes = [three.union(one).size, three.intersection(one).size, one.difference(three).size, three.symmetricDifference(one).size];
  Set.prototype.add = kept.add;
  Set.prototype[Symbol.iterator] = kept.iterator;
  same(calls.join(), '', 'add is not called');
  same(sizes.join(), '3,1,0,2', 'results with a changed language');

  class Keyed extends Set {
    keys() {
      return [7][Symbol.iterator]();
    }
  }
  same(show(set(1).union(new Keyed([1]))), '{1,7}', 'keys() is asked for');

  const mine = set(1, 2, 3);
  const shrinking = like([1, 2, 3], { has: (item) => (mine.delete(2), item !== 5) });
  same(show(mine.intersection(shrinking)), '{1,3}', 'deleted meanwhile');
  const growing = set(1);
  same(show(growing.intersection(like([1, 2], { has: (item) => (item < 3 && growing.add(item + 1), true) }))), '{1,2,3}', 'added meanwhile');
  const self = set(1, 2, 3);
  same(show(self.difference(self)) + show(self.union(self)) + show(self.symmetricDifference(self)), '{}{1,2,3}{}', 'with itself');
  same(fault(() => set(1).union(like([1], { keys: () => undefined }))), 'TypeError', 'keys() gives nothing');
  same(fault(() => set(1).union(like([1], { keys: () => ({ next: 1 }) }))), 'TypeError', 'next is no function');
  same(fault(() => set(1).union(like([1], { keys: () => ({ next: () => 1 }) }))), 'TypeError', 'next() gives no object');
  // `keys` gives an iterator, which need not be iterable.
  let left = 2;
  same(show(set(9).union(like([], { keys: () => ({ next: () => ({ done: left === 0, value: left-- }) }) }))), '{9,2,1}', 'an iterator');
}

export default function () {
  results();
  shapes();
  questions();
  changed();
  console.log('done');
}
