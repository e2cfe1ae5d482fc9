// What can't be made into a SharedArray, and where none can be made.
// args: --summary-mode=disabled
// console: GoError: empty name provided to SharedArray's constructor
// console: GoError: a function is expected as the second argument of SharedArray's constructor
// console: GoError: SharedArray constructor does not support async functions as second argument
// console: GoError: only arrays can be made into SharedArray
// console: GoError: only arrays can be made into SharedArray
// console: GoError: only arrays can be made into SharedArray
// console: TypeError: Cannot convert undefined or null to object
// console: RangeError: mine
// console: TypeError
// console: GoError: the SharedArray "self" can't be made out of itself
// console: fine after all
// console: GoError: new SharedArray must be called in the init context
// console: GoError: new SharedArray must be called in the init context
import { SharedArray } from 'k6/data';

const attempt = (...list) => {
  try {
    console.log(new SharedArray(...list)[0]);
  } catch (error) {
    console.log(String(error));
  }
};
if (__VU === 0) {
  attempt('', () => []);
  attempt('a', [1]);
  attempt('a', async () => []);
  attempt('a', () => ({ length: 1 }));
  attempt('a', () => 'text');
  attempt('a', () => new Uint8Array(2));
  attempt('a', () => undefined);
  attempt('a', () => {
    throw new RangeError('mine');
  });
  const cycle = {};
  cycle.self = cycle;
  try {
    new SharedArray('a', () => [cycle]);
  } catch (error) {
    console.log(error.name);
  }
  attempt('self', () => new SharedArray('self', () => [1]));
}
const built = new SharedArray('a', () => ['fine after all']);
if (__VU === 0) console.log(built[0]);

export default function () {
  attempt('late', () => [1]);
  attempt('a', () => [1]);
}
