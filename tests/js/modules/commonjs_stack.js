// Positions are those of the file, the first line too.
// console: fail data/thrower.js:3 commonjs_stack.js:13 true
import { fail, twice } from './data/thrower.js';

const place = (line) => line.replace(/^\s*at (.*)file:\/\/.*\/modules\/(\S+?):(\d+):(\d+)\)?$/, '$1$2:$3:$4');
export default function () {
  const stack = (() => {
    try {
      // The edited call stands on the line and in the column it was written in.
      if (twice(1) === 2) {

        ;
        fail();
      }
    } catch (error) { return error.stack; }
  })();
  const [, first, second] = stack.split('\n').map(place);
  const column = Number(second.split(':')[2]);
  const clean = (text) => text.replace(/[(]/g, '').replace(/:\d+$/, '').replace(/^\S+ (?=commonjs)/, '');
  console.log(clean(first).replace(/^data/, 'fail data'), clean(second), column >= 9 && column <= 13);
}
