// k6/x/exec: programs of this machine, for scripts that may run them.
import { declare, command as run } from 'native:k6/x/exec';
import { primordials } from 'native:engine';

const { ObjectDefineProperty, String } = primordials;

declare();

function set(object, name, value) {
  ObjectDefineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

// What Go's os.ProcessState tells.
function processState(answer) {
  if (answer.state === undefined) return null;
  return {
    pid: () => answer.pid,
    exitCode: () => answer.code,
    exited: () => answer.code >= 0,
    success: () => answer.code === 0,
    string: () => answer.state,
    toString: () => answer.state,
  };
}

export function command(name, args, options) {
  const answer = run(String(name), args, options);
  if (answer.failed === undefined) return answer.stdout;
  const error = new GoError(answer.failed);
  set(error, 'stdout', answer.stdout);
  set(error, 'stderr', answer.stderr);
  set(error, 'process_state', processState(answer));
  throw error;
}

export default { command };
