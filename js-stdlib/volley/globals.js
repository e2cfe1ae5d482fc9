// What a k6 script finds in its global scope besides the language. Evaluated first in every VU, so it is kept small:
// what not every script needs is a part, an expression that is evaluated when it is first used.
import { getEnv, env, vuId, iteration, open, settings, part, write, startTimer, stopTimer, refuseModule, refuseExports, origin, load } from 'native:volley/globals';
import * as natives from 'native:volley/globals';

export const evaluate = (name) => Function(`return ${part(name)}`)();

// A part that is a function, called once in a VU, whoever asks: its result is shared.
const results = {};
export const once = (name, ...given) => (results[name] ??= evaluate(name)(...given));

// An object whose properties come with a part.
export const lazy = (make) => new Proxy({}, { get: (_, name) => make()[name] });

const define = (name, value, enumerable) =>
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true });

// A global that is made when it is first used.
function later(name, make, enumerable = true) {
  let [made, value] = [false, undefined];
  const set = (given) => {
    [made, value] = [true, given];
  };
  const get = () => {
    if (!made) set(make());
    return value;
  };
  Object.defineProperty(globalThis, name, { get, set, enumerable, configurable: true });
}

later('GoError', () => evaluate('volley/go_error'), false);

// __ENV: a map of strings; assigning converts. A frozen one is a plain object, made anew for every scenario.
const { freezeEnv, hasGlobal } = settings();
let traps;
const environment = new Proxy({}, {
  __proto__: lazy(() => (traps ??= evaluate('volley/environment')(natives))),
  get: (_, key) => (typeof key === 'string' ? getEnv(key) ?? Object.prototype[key] : undefined),
});
const showEnvironment = () => define('__ENV', freezeEnv ? Object.freeze(env()) : environment, true);
showEnvironment();
define('__VU', vuId(), true);
later('console', () => evaluate('volley/console')(write, evaluate));
if (hasGlobal) Object.defineProperty(globalThis, 'global', { get: () => globalThis, enumerable: true, configurable: true });

// A module of either kind has its own, which knows where it is.
define('require', (name) => load('volley/commonjs').require(name, ''), true);
define('open', open, true);
Object.defineProperty(globalThis, 'module', { get: refuseModule, set: refuseModule });
Object.defineProperty(globalThis, 'exports', { get: refuseExports, set: refuseExports });

let functions;
export const timers = () => (functions ??= evaluate('volley/timers')(startTimer, stopTimer));
for (const name of ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval']) later(name, () => timers()[name]);

later('crypto', () => evaluate('volley/webcrypto')(natives, evaluate));
for (const name of ['TextDecoder', 'TextEncoder']) later(name, () => once('volley/text', natives)[name]);

// Called when a timer is due.
export const fire = (id) => timers().fire(id);

// Stack traces are k6's; V8's ways to shape them are not.
if ('prepareStackTrace' in Error) evaluate('volley/stack')(origin);

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
