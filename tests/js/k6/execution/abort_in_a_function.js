// The place is that of the call, whoever makes it.
// exit: 108
// log: test aborted: later at stop (file://.../abort_in_a_function.js:6...)
import exec, { test } from 'k6/execution';

const stop = () => test.abort('later');
export default async function () {
  await null;
  if (exec.vu.idInTest) stop();
}
