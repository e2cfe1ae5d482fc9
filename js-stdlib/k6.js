// The module `k6`: checks, groups, sleep.
import { enterGroup, leaveGroup, recordCheck, seed, random, sleepFor, checkStage } from 'native:k6';

const SEPARATOR = '::';

// Cheap for what is no async function: only a function whose constructor isn't `Function` is asked for its name.
function isAsync(f) {
  return f.constructor !== Function && f.constructor?.name === 'AsyncFunction';
}

export function check(value, ...rest) {
  const stamp = checkStage('check()');
  if (rest.length === 0) throw new GoError('no checks provided to `check`');
  const sets = rest[0];
  if (sets === undefined || sets === null) throw new TypeError('Cannot convert undefined or null to object');
  const names = Object.keys(sets);
  let passed = true;
  // Counting is several times cheaper than an iterator, and this runs more often than anything else here.
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (name.includes(SEPARATOR)) refuseSeparator();
    const test = sets[name];
    let ok = test;
    if (typeof test === 'function') {
      if (isAsync(test)) {
        throw new GoError('the built-in check() does not support async functions as arguments. Use the JavaScript utils library as a replacement. Refer to https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/check/ for more info');
      }
      try {
        ok = test(value);
      } catch (error) {
        recordCheck(name, false, rest[1], stamp);
        throw error;
      }
    }
    ok = !!ok;
    recordCheck(name, ok, rest[1], stamp);
    passed = passed && ok;
  }
  return passed;
}

function refuseSeparator() {
  throw new GoError("group and check names may not contain '::'");
}

export function group(name, callback) {
  checkStage('group()');
  if (typeof callback !== 'function') throw new GoError('group() requires a callback as a second argument');
  if (isAsync(callback)) {
    throw new GoError('group() does not support async functions as arguments, please see https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info');
  }
  const text = name === undefined || name === null ? '' : String(name);
  if (text.includes(SEPARATOR)) refuseSeparator();
  const outer = enterGroup(text);
  try {
    return callback();
  } finally {
    leaveGroup(outer);
  }
}

export function fail(message) {
  throw new GoError(message === undefined || message === null ? '' : String(message));
}

export function sleep(seconds) {
  sleepFor(Number(seconds));
}

export function randomSeed(value) {
  const number = Number(value);
  seed(Number.isFinite(number) ? Math.trunc(number) : 0);
  Math.random = random;
}

export default { check, fail, group, randomSeed, sleep };
