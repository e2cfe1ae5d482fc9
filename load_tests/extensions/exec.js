// Programs that say something, and some that fail.
import { check } from 'k6';
import exec from 'k6/x/exec';

export { begin, options, rest } from './lib/plan.js';

export default function () {
  check(exec.command('echo', [`${__VU}-${__ITER}`]), { own: (text) => text.trim() === `${__VU}-${__ITER}` });
  let failure;
  try {
    exec.command('false', [], { continue_on_error: true });
  } catch (error) {
    failure = error.message;
  }
  check(failure, { 'it failed': (text) => text === 'exit status 1' });
}
