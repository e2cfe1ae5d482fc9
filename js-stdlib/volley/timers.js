// Timers. Rust keeps the clock and calls `fire` when one is due; this half keeps the functions. A lazy script.
({ startTimer: start, stopTimer: stop, propagatesContext }, { once, primordials }) => {
const { Number, ReflectApply, TypeError } = primordials;
const bind = propagatesContext() ? once('volley/async_context').bind : (callback) => callback;
const timers = { __proto__: null };
let last = 0;

function add(name, callback, delay, args, repeats) {
  if (callback === undefined || callback === null) throw new GoError(`${name}'s callback isn't a callable function`);
  if (typeof callback !== 'function') {
    throw new TypeError(`could not convert function call parameter 0: could not convert ${callback} to sobek.Callable`);
  }
  const given = Number(delay);
  const ms = given > 0 ? given : 0;
  const id = ++last;
  timers[id] = { callback: bind(callback, globalThis), args, ms, repeats };
  start(id, ms, repeats);
  return id;
}

function remove(id) {
  if (timers[id] === undefined) return;
  delete timers[id];
  stop(id);
}

function fire(id) {
  const timer = timers[id];
  if (timer === undefined) return;
  if (timer.repeats) start(id, timer.ms, true);
  else delete timers[id];
  ReflectApply(timer.callback, globalThis, timer.args);
}

function setTimeout(callback, delay, ...args) {
  return add('setTimeout', callback, delay, args, false);
}
function setInterval(callback, delay, ...args) {
  return add('setInterval', callback, delay, args, true);
}
function clearTimeout(id) {
  remove(id);
}
function clearInterval(id) {
  remove(id);
}

return { fire, setTimeout, clearTimeout, setInterval, clearInterval };
}
