// What readable and writable streams have in common: promises settled from outside, what users may give, queues, and the
// shells around what only js-stdlib sees.
//
// Each public object is a shell around a core. A core keeps the state; what the Streams Standard calls abstract
// operations are its methods.

import { call, primordials } from 'native:engine';

const { Number, Promise, PromisePrototypeThen, RangeError, ReflectApply, TypeError, WeakMap } = primordials;

// Promises -------------------------------------------------------------------------------------------------------

const ignore = () => {};
const resolved = (value) => new Promise((resolve) => resolve(value));
const rejected = (reason) => new Promise((_, reject) => reject(reason));
// `promise.then()`, whatever a script has made of it.
const chain = (promise, fulfilled, failed) => call(PromisePrototypeThen, promise, fulfilled, failed);

// A promise that can be settled from outside. A quiet one may be rejected without being reported.
class Pledge {
  constructor() {
    this.isPending = true;
    this.promise = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }
  resolve(value) {
    this.isPending = false;
    this.settle.resolve(value);
  }
  reject(reason) {
    this.isPending = false;
    this.settle.reject(reason);
  }
  rejectQuietly(reason) {
    chain(this.promise, undefined, ignore);
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
    return rejected(error);
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
  return (...list) => ReflectApply(value, object, list);
}

// `size` and `mark` (its highWaterMark) of a queuing strategy.
function strategyOf(value) {
  const { highWaterMark, size } = asObject(value ?? undefined, 'a queuing strategy');
  const mark = highWaterMark === undefined ? undefined : Number(highWaterMark);
  if (size !== undefined && typeof size !== 'function') throw new TypeError('size must be a function');
  return { size: size === undefined ? () => 1 : (chunk) => size(chunk), mark };
}
function markOf(mark) {
  if (mark === undefined) return 1;
  if (mark !== mark || mark < 0) throw new RangeError('highWaterMark must be a number that is not negative');
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
    this.entries[this.entries.length] = { chunk, size };
    this.size += size;
  }
  peek() {
    return this.entries[this.first].chunk;
  }
  take() {
    const { chunk, size } = this.entries[this.first];
    this.entries[this.first] = undefined;
    if (++this.first > 32 && this.first * 2 > this.entries.length) {
      const rest = [];
      for (let at = this.first; at < this.entries.length; at++) rest[rest.length] = this.entries[at];
      this.entries = rest;
      this.first = 0;
    }
    // Sums of fractions may come out a little too small.
    this.size = this.size > size ? this.size - size : 0;
    return chunk;
  }
}

// What waits, taken out of a list.
function takeAll(object, name) {
  const list = object[name];
  object[name] = [];
  return list;
}
function takeFirst(object, name) {
  const list = object[name];
  const rest = [];
  for (let at = 1; at < list.length; at++) rest[at - 1] = list[at];
  object[name] = rest;
  return list[0];
}
function rejectAll(list, reason) {
  for (let at = 0; at < list.length; at++) list[at].reject(reason);
}

// Shells ---------------------------------------------------------------------------------------------------------

const known = new WeakMap();
const remember = (shell, inner) => call(primordials.WeakMapPrototypeSet, known, shell, inner);
function core(shell, Class) {
  const found = call(primordials.WeakMapPrototypeGet, known, shell);
  if (!(found instanceof Class)) throw new TypeError('this method was called on an object of another kind');
  return found;
}
// The same where a promise is expected.
function later(shell, Class, act) {
  try {
    return act(core(shell, Class));
  } catch (error) {
    return rejected(error);
  }
}
// A shell that users can't construct.
function shell(Class, inner) {
  const made = { __proto__: Class.prototype };
  remember(made, inner);
  return made;
}
const unconstructible = () => new TypeError('Illegal constructor');
const notSupported = (what) => new GoError(`NotSupportedError:${what} is not supported yet`);

export {
  ignore, resolved, Pledge, fulfilledPledge, quietPledge, promised, asObject, method, strategyOf, markOf,
  Queue, remember, core, later, shell, unconstructible, notSupported, rejected, chain, takeAll, takeFirst, rejectAll,
};
