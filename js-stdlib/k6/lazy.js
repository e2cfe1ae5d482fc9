// What not every script needs of k6: groups, and what is refused. An expression, called with the native half.
((native, { call, primordials }) => {
const { enterGroup, leaveGroup, openGroup, closeGroup, endGroup } = native;
const propagates = native.propagatesContext();
const isAsync = (f) => f.constructor?.name === 'AsyncFunction';
const { Number, ObjectKeys, Promise, PromisePrototypeThen, PromiseResolve, String, StringPrototypeIndexOf, TypeError } = primordials;

function refuseSeparator() {
  throw new GoError("group and check names may not contain '::'");
}

function refuseSets(count) {
  if (count < 2) throw new GoError('no checks provided to `check`');
  throw new TypeError('Cannot convert undefined or null to object');
}

function refuseAsync(test) {
  if (!isAsync(test)) return;
  throw new GoError('the built-in check() does not support async functions as arguments. Use the JavaScript utils library as a replacement. Refer to https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/check/ for more info');
}

// What no object has: the names of a text are its places.
function check(value, ...rest) {
  const stamp = native.checkStage(false);
  const sets = rest[0], tags = rest[1];
  if (sets === undefined || sets === null) refuseSets(1 + rest.length);
  const names = ObjectKeys(sets);
  let passed = true;
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (call(StringPrototypeIndexOf, name, '::') >= 0) refuseSeparator();
    let ok = sets[name];
    if (typeof ok === 'function') {
      if (ok.constructor !== primordials.Function) refuseAsync(ok);
      try {
        ok = ok(value);
      } catch (error) {
        native.recordCheck(name, false, tags, stamp);
        throw error;
      }
    }
    ok = !!ok;
    native.recordCheck(name, ok, tags, stamp);
    passed = passed && ok;
  }
  return passed;
}

function group(name, callback) {
  native.checkStage(true);
  if (typeof callback !== 'function') throw new GoError('group() requires a callback as a second argument');
  if (!propagates && isAsync(callback)) {
    throw new GoError('group() does not support async functions as arguments, unless the feature async-metric-context is enabled with --features async-metric-context or K6_FEATURES=async-metric-context, please see https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info');
  }
  const text = name === undefined || name === null ? '' : String(name);
  if (call(StringPrototypeIndexOf, text, '::') >= 0) refuseSeparator();
  if (propagates) return asyncGroup(text, callback);
  const outer = enterGroup(text);
  try {
    return callback();
  } finally {
    leaveGroup(outer);
  }
}

// With the feature async-metric-context: what the callback changes ends with it, and a group lasts until the promise that
// its callback returns is settled.
function asyncGroup(name, callback) {
  const group = openGroup(name);
  let result, isPending = false;
  try {
    result = callback();
    isPending = isThenable(result);
  } finally {
    closeGroup(group, !isPending);
  }
  if (!isPending) return result;
  let promise;
  try {
    promise = call(PromiseResolve, Promise, result);
  } catch (error) {
    endGroup(group);
    throw error;
  }
  return call(PromisePrototypeThen, promise, (value) => {
    endGroup(group);
    return value;
  }, (reason) => {
    endGroup(group);
    throw reason;
  });
}

function isThenable(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  try {
    return typeof value.then === 'function';
  } catch {
    // The promise that is made of it is rejected.
    return true;
  }
}

function fail(message) {
  throw new GoError(message === undefined || message === null ? '' : String(message));
}

function randomSeed(value) {
  const number = Number(value);
  // Rust cuts what is behind the point.
  native.seed(number - number === 0 ? number : 0);
  primordials.Math.random = native.random;
}

return { refuseAsync, check, group, fail, randomSeed };
})
