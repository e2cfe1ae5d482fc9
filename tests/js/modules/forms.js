// Forms of the language that parsers of engines stumble over.
// console: 1 2 3 4 5 6 7 8 9 10
// console: default true
// console: label,15,a,b,using,async
import run, { a, B as C } from './data/forms_list.js';
import later from './data/forms_async.js';
import async, { using } from './data/forms_names.js';

using: for (;;) { break using; }
of: for (;;) { break of; }
const { async: taken = 1, ...rest } = { async, using };
class Fields {
  async
  get = 3
}
export default async ({ unused } = {}, more = 1) => {
  const list = [a, C.two, run(), await later(4), async + 2, using, taken + 4, { using }.using + 2, rest.using + 3, async + 7];
  console.log(list.join(' '));
  try { throw { using: 'default' }; } catch ({ using }) { console.log(using, unused === undefined && more === 1); }
  console.log(names().join());
};
function names() {
  let using = 5;
  using += 10;
  const object = { using: 'a', async: 'b' };
  const f = (async) => async, g = async (async) => async;
  label: do { if (using) break label; } while (using);
  return ['label', f(using), object.using, object.async, ...Object.keys({ using, async: g })];
}
