// A SharedArray is an array in every way but that nobody can change it, or what is in it.
// console: 3 true true object [object Array] false
// console: 1,2,3 2,4,6 6 3 1 -1 true false
// console: 0,1,2,length 0,1,2 true false true
// console: {"value":2,"writable":true,"enumerable":true,"configurable":true} {"value":3,"writable":true,"enumerable":false,"configurable":false} undefined
// console: 1 3,2,1 1,2 false [1,2,3] [ 1, 2, 3 ]
// console: undefined undefined undefined undefined true
// console: SharedArray is immutable / SharedArray is immutable / SharedArray is immutable / SharedArray is immutable / SharedArray is immutable
// console: Cannot set property "foo" on a dynamic array / true / TypeError
// console: {"a":[{"b":1}]} false false true TypeError TypeError
// console: 2 d
// console: 1 SyntaxError: invalid character 'u' looking for beginning of value
// console: undefined ok null ok
// console: 2 inner,outer
import data, { SharedArray } from 'k6/data';

const numbers = new SharedArray('numbers', () => [1, 2, 3]);
const deep = SharedArray('deep', function () {
  return [{ a: [{ b: 1 }] }, 'd'];
});
const holes = new data.SharedArray('holes', () => [1, undefined]);
const undefinedName = new SharedArray(undefined, () => ['ok']);
const nullName = new SharedArray(null, () => ['ok']);
const outer = new SharedArray('outer', () => [new SharedArray('inner', () => ['inner'])[0], 'outer']);

const message = (call) => {
  try {
    return call();
  } catch (error) {
    return error.message;
  }
};
const name = (call) => {
  try {
    return call();
  } catch (error) {
    return error.name;
  }
};

export default function () {
  console.log(numbers.length, Array.isArray(numbers), numbers instanceof Array, typeof numbers, Object.prototype.toString.call(numbers), numbers instanceof SharedArray);
  const [first] = numbers;
  console.log([...numbers].join(), numbers.map((n) => n * 2).join(), numbers.reduce((a, b) => a + b), numbers.at(-1), first, numbers.indexOf(4), numbers.includes(3), 3 in numbers);
  console.log(Reflect.ownKeys(numbers).join(), Object.keys(numbers).join(), 2 in numbers, -1 in numbers, 'map' in numbers);
  const shape = (key) => JSON.stringify(Object.getOwnPropertyDescriptor(numbers, key));
  console.log(shape(1), shape('length'), shape(3));
  console.log(numbers['0'], numbers.toReversed().join(), numbers.slice(0, 2).join(), Object.isFrozen(numbers), JSON.stringify(numbers), numbers);
  console.log(numbers[3], numbers[-1], numbers['1.5'], numbers['01'], numbers[Symbol.iterator] === Array.prototype[Symbol.iterator]);
  console.log([() => { numbers[0] = 1; }, () => numbers.push(1), () => { numbers.length = 0; }, () => delete numbers[0], () => numbers.reverse()].map(message).join(' / '));
  console.log(message(() => { numbers.foo = 1; }), '/', message(() => delete numbers.foo), '/', name(() => Object.freeze(numbers)));
  console.log(JSON.stringify(deep[0]), deep[0] === deep[0], Object.isExtensible(deep[0].a), Object.isFrozen(deep[0].a[0]), name(() => { deep[0].a[0].b = 2; }), name(() => deep[0].a.push(1)));
  console.log(deep.length, deep[1]);
  console.log(holes[0], name(() => holes[1]) + ': ' + message(() => holes[1]));
  console.log('undefined', undefinedName[0], 'null', nullName[0]);
  console.log(outer.length, outer.join());
}
