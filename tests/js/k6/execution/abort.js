// `abort` ends everything but teardown, with code 108.
// args: --vus 1 --duration 30s
// exit: 108
// console: teardown
// log: test aborted: seen enough at ...
import exec from 'k6/execution';

export default function () {
  exec.test.abort('seen enough');
}
export function teardown() {
  console.log('teardown');
}
