// `fail` ends the iteration; the next one runs, and so does the exit code 0.
// args: --iterations 2
// console: iteration 0
// console: iteration 1
// log: GoError: enough of 0
// log: GoError: enough of 1
import { fail } from 'k6';

export default function () {
  console.log('iteration', __ITER);
  fail(`enough of ${__ITER}`);
}
