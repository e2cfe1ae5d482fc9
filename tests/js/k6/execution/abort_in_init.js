// In init code the line says what could not begin, and where.
// exit: 108
// log: could not initialize '...abort_in_init.js': could not load JS test 'file://.../abort_in_init.js': test aborted: too early at file://.../abort_in_init.js:6...
import exec from 'k6/execution';

exec.test.abort('too early');
export default function () {}
