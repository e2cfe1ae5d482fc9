// What not every script needs of k6: groups, and what is refused. An expression, called with the native half.
((native, { call, primordials }) => {
const { enterGroup, leaveGroup } = native;
const isAsync = (f) => f.constructor?.name === 'AsyncFunction';
const { Number, String, StringPrototypeIndexOf, TypeError } = primordials;

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

function group(name, callback) {
  native.checkStage('group()');
  if (typeof callback !== 'function') throw new GoError('group() requires a callback as a second argument');
  if (isAsync(callback)) {
    throw new GoError('group() does not support async functions as arguments, please see https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info');
  }
  const text = name === undefined || name === null ? '' : String(name);
  if (call(StringPrototypeIndexOf, text, '::') >= 0) refuseSeparator();
  const outer = enterGroup(text);
  try {
    return callback();
  } finally {
    leaveGroup(outer);
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

return { refuseSeparator, refuseSets, refuseAsync, group, fail, randomSeed };
})
