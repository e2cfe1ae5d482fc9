// An exception ends the iteration, is told with its place, and does not end the run.
// args: --iterations 2
// console: 0
// console: 1
// log: TypeError: not again...globals/exception.js:...
export default function () {
  console.log(__ITER);
  inner();
}
function inner() { throw new TypeError('not again'); }
