// What readable and writable streams have in common: promises settled from outside, what users may give, queues, and the
// shells around what only js-stdlib sees.
//
// Each public object is a shell around a core. A core keeps the state; what the Streams Standard calls abstract
// operations are its methods.

// Promises -------------------------------------------------------------------------------------------------------

const ignore = () => {};
const resolved = (value) => new Promise((resolve) => resolve(value));

// A promise that can be settled from outside. A quiet one may be rejected without anybody looking.
class Pledge {
  constructor() {
    this.isPending = true;
    this.promise = new Promise((resolve, reject) => {
      this.settle = [resolve, reject];
    });
  }
  resolve(value) {
    this.isPending = false;
    this.settle[0](value);
  }
  reject(reason) {
    this.isPending = false;
    this.settle[1](reason);
  }
  rejectQuietly(reason) {
    this.promise.then(undefined, ignore);
    this.reject(reason);
  }
}
function fulfilledPledge() {
  const pledge = new Pledge();
  pledge.resolve(undefined);
  return pledge;
}
function quietPledge(reason) {
  const pledge = new Pledge();
  pledge.rejectQuietly(reason);
  return pledge;
}

// Calls a function of the user's whose result is awaited: what it throws is a rejection.
function promised(call) {
  try {
    return resolved(call());
  } catch (error) {
    return Promise.reject(error);
  }
}

// What users give ------------------------------------------------------------------------------------------------

function asObject(value, what) {
  if (value === undefined) return {};
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    throw new TypeError(`${what} must be an object`);
  }
  return value;
}

// A member that is a function, bound to its object; without one nothing happens.
function method(object, name) {
  const value = object[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function`);
  return (...list) => Reflect.apply(value, object, list);
}

// `[size, highWaterMark]` of a queuing strategy.
function strategyOf(value) {
  const { highWaterMark, size } = asObject(value ?? undefined, 'a queuing strategy');
  const mark = highWaterMark === undefined ? undefined : Number(highWaterMark);
  if (size !== undefined && typeof size !== 'function') throw new TypeError('size must be a function');
  return [size === undefined ? () => 1 : (chunk) => size(chunk), mark];
}
function markOf(mark) {
  if (mark === undefined) return 1;
  if (Number.isNaN(mark) || mark < 0) throw new RangeError('highWaterMark must be a number that is not negative');
  return mark;
}

// Chunks with their sizes.
class Queue {
  constructor() {
    this.clear();
  }
  clear() {
    this.entries = [];
    this.first = 0;
    this.size = 0;
  }
  get isEmpty() {
    return this.first === this.entries.length;
  }
  add(chunk, given) {
    const size = Number(given);
    if (!(size >= 0) || size === Infinity) throw new RangeError('the size of a chunk must be a finite number that is not negative');
    this.entries.push([chunk, size]);
    this.size += size;
  }
  peek() {
    return this.entries[this.first][0];
  }
  take() {
    const [chunk, size] = this.entries[this.first];
    this.entries[this.first] = undefined;
    if (++this.first > 32 && this.first * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
    // Sums of fractions may come out a little too small.
    this.size = Math.max(0, this.size - size);
    return chunk;
  }
}

// Shells ---------------------------------------------------------------------------------------------------------

const cores = new WeakMap();
function core(shell, Class) {
  const found = cores.get(shell);
  if (!(found instanceof Class)) throw new TypeError('this method was called on an object of another kind');
  return found;
}
// The same where a promise is expected.
function later(shell, Class, act) {
  try {
    return act(core(shell, Class));
  } catch (error) {
    return Promise.reject(error);
  }
}
// A shell that users can't construct.
function shell(Class, inner) {
  const made = Object.create(Class.prototype);
  cores.set(made, inner);
  return made;
}
const unconstructible = () => new TypeError('Illegal constructor');
const notSupported = (what) => new GoError(`NotSupportedError:${what} is not supported yet`);

export {
  ignore, resolved, Pledge, fulfilledPledge, quietPledge, promised, asObject, method, strategyOf, markOf,
  Queue, cores, core, later, shell, unconstructible, notSupported,
};
