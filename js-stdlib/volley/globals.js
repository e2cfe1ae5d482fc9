// What a k6 script finds in its global scope besides the language. Evaluated first in every VU.
import { setTimeout, clearTimeout, setInterval, clearInterval } from 'k6/timers';
import { console } from 'volley/console';
import { env, getEnv, setEnv, deleteEnv, vuId, iteration, open, settings } from 'native:volley/globals';

class GoError extends Error {
  constructor(message) {
    super(message);
    Object.defineProperty(this, 'value', { value: { error: () => message }, enumerable: false, configurable: true });
  }
}
Object.defineProperty(GoError.prototype, 'name', { value: 'GoError', writable: true, configurable: true });

const hidden = (name, value) =>
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
const shown = (name, value) =>
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true });

hidden('GoError', GoError);

// __ENV: a map of strings; assigning converts. A frozen one is a plain object, made anew for every scenario.
const { freezeEnv, hasGlobal } = settings();
const environment = new Proxy({}, {
  get: (_, key) => (typeof key === 'string' ? getEnv(key) ?? Object.prototype[key] : undefined),
  set: (_, key, value) => (setEnv(String(key), String(value)), true),
  has: (_, key) => (typeof key === 'string' && getEnv(key) !== undefined) || key in Object.prototype,
  deleteProperty: (_, key) => (deleteEnv(String(key)), true),
  ownKeys: () => Object.keys(env()),
  getOwnPropertyDescriptor: (_, key) => {
    const value = typeof key === 'string' ? getEnv(key) : undefined;
    return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
  },
  defineProperty: (_, key, descriptor) => (setEnv(String(key), String(descriptor.value)), true),
});
const showEnvironment = () => shown('__ENV', freezeEnv ? Object.freeze(env()) : environment);
showEnvironment();
shown('__VU', vuId());
shown('console', console);
if (hasGlobal) Object.defineProperty(globalThis, 'global', { get: () => globalThis, enumerable: true, configurable: true });

shown('open', open);
// Modules of the other kind say what they need; better than a variable nobody knows.
hidden('require', (name) => {
  throw new GoError(`require(${JSON.stringify(name)}): CommonJS modules are not supported yet, write \`import\` instead`);
});
shown('setTimeout', setTimeout);
shown('setInterval', setInterval);
shown('clearTimeout', clearTimeout);
shown('clearInterval', clearInterval);

// Stack traces are k6's; V8's ways to shape them are not.
const prepare = (error, sites) => {
  let text = `${error}\n`;
  for (const site of sites) {
    const file = site.getFileName();
    if (!file || !/^(file|https):\/\//.test(file)) continue;
    const place = `${file}:${site.getLineNumber()}:${site.getColumnNumber()}`;
    const name = site.getFunctionName();
    text += name && name !== '<anonymous>' ? `\tat ${name} (${place})\n` : `\tat ${place}\n`;
  }
  return text;
};
if ('prepareStackTrace' in Error) {
  Error.prepareStackTrace = prepare;
  delete Error.prepareStackTrace;
  delete Error.captureStackTrace;
  delete Error.stackTraceLimit;
}

// Called when a VU begins to work: from now on there are iterations.
export function activate() {
  if (freezeEnv) showEnvironment();
  Object.defineProperty(globalThis, '__ITER', { get: iteration, enumerable: true, configurable: true });
}

// The consolidated options, written over what the script exports as `options`.
export function consolidate(options, values) {
  if (options === null || typeof options !== 'object') return;
  for (const key of Object.keys(values)) {
    if (values[key] !== null) options[key] = values[key];
  }
}
