// The module `k6`: checks, groups, sleep.
import { enterGroup, leaveGroup, recordCheck, seed, random, sleepFor, checkStage } from 'native:k6';

const SEPARATOR = '::';

const AsyncFunction = (async () => {}).constructor;

function isAsync(f) {
  return f instanceof AsyncFunction;
}

export function check(value, sets, tags) {
  const stamp = checkStage('check()');
  if (arguments.length < 2) throw new GoError('no checks provided to `check`');
  let passed = true;
  for (const name of Object.keys(Object(needObject(sets)))) {
    refuseSeparator(name);
    const test = sets[name];
    let ok = test;
    if (typeof test === 'function') {
      if (isAsync(test)) {
        throw new GoError('the built-in check() does not support async functions as arguments. Use the JavaScript utils library as a replacement. Refer to https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/check/ for more info');
      }
      try {
        ok = test(value);
      } catch (error) {
        recordCheck(name, false, tags, stamp);
        throw error;
      }
    }
    ok = Boolean(ok);
    recordCheck(name, ok, tags, stamp);
    passed = passed && ok;
  }
  return passed;
}

function needObject(sets) {
  if (sets === undefined || sets === null) throw new TypeError('Cannot convert undefined or null to object');
  return sets;
}

function refuseSeparator(name) {
  if (name.includes(SEPARATOR)) throw new GoError("group and check names may not contain '::'");
}

export function group(name, callback) {
  checkStage('group()');
  if (typeof callback !== 'function') throw new GoError('group() requires a callback as a second argument');
  if (isAsync(callback)) {
    throw new GoError('group() does not support async functions as arguments, please see https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info');
  }
  const text = name === undefined || name === null ? '' : String(name);
  refuseSeparator(text);
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
