// k6/data: arrays that are built once in a process and shared by all VUs.
import { claim, add, keep, letGo } from 'native:k6/data';
import { view } from 'volley/shared_array';
import { primordials } from 'native:engine';

// The elements of a new array, as JSON.
function build(make) {
  const made = make();
  if (made === undefined || made === null) throw new primordials.TypeError('Cannot convert undefined or null to object');
  if (!primordials.ArrayIsArray(made)) throw new GoError('only arrays can be made into SharedArray');
  for (let at = 0; at < made.length; at++) add(`${primordials.JSONStringify(made[at])}`);
}

export function SharedArray(name, make) {
  const kind = typeof make !== 'function' ? 'none' : make.constructor?.name === 'AsyncFunction' ? 'async' : 'function';
  let array = claim(primordials.String(name), kind);
  if (array === undefined) {
    try {
      build(make);
      array = keep();
    } catch (error) {
      letGo();
      throw error;
    }
  }
  return view(array);
}

export default { SharedArray };
