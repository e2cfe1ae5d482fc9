// A TypeError names what is no function, or has no such property, wherever it is seen.
// args: --iterations 1
// console: helper.nothing is not a function
// console: missing is not a function
// console: list.a.deeper is not a function
// console: list.None is not a constructor
// console: ... property 'b' of ...: list.x is ...
// console: rejected helper.nothing is not a function
// console: mine: not a function
// console: stack TypeError: helper.nothing is not a function
// log: TypeError: list.gone is not a function...error_names.js:30...
import * as helper from './data/helper.js';
import { missing } from 'k6';

const list = { a: {} };
const told = [
  () => helper.nothing(1),
  () => missing(),
  () => list.a.deeper({}, 2),
  () => new list.None(),
  () => list.x.b,
];
export default async function () {
  for (const tell of told) {
    try { tell(); } catch (error) { console.log(error.message); }
  }
  await (async () => helper.nothing())().catch((error) => console.log('rejected', error.message));
  try { throw new TypeError('not a function'); } catch (error) { console.log('mine:', error.message); }
  try { helper.nothing(); } catch (error) { console.log('stack', error.stack.split('\n')[0]); }
  list.gone();
}
