// `exec.test.fail` lets the run go on and end with 110.
// args: --iterations 2
// exit: 110
// console: 0
// console: 1
// log: test marked as failed: not like this
// log: test run was marked as failed
import exec from 'k6/execution';

export default function () {
  exec.test.fail('not like this');
  console.log(__ITER);
}
