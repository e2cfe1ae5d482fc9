// k6/experimental/streams: readable and writable streams, as far as k6 has them. Each half is loaded when one of its
// classes is first used: to many VUs that import this, or something that does, they are a burden.
import { load, call, primordials } from 'native:engine';

const { Number, ObjectDefineProperty, Proxy, ReflectConstruct, TypeError, WeakMap } = primordials;

// What stands for a class that is loaded when it is first used.
function later(half, name) {
  let known;
  const real = () => {
    if (known === undefined) {
      known = load(`volley/${half}_stream`)[name];
      ObjectDefineProperty(known.prototype, 'constructor', { __proto__: null, value: stand, writable: true, configurable: true });
    }
    return known;
  };
  const stand = new Proxy(function () {}, {
    __proto__: null,
    get: (_, key) => real()[key],
    set(_, key, value) {
      real()[key] = value;
      return true;
    },
    construct: (_, list, target) => ReflectConstruct(real(), list, target === stand ? real() : target),
    apply() {
      throw new TypeError(`${name} is a class: it is made with 'new'`);
    },
  });
  return stand;
}

export const ReadableStream = later('readable', 'ReadableStream');
export const ReadableStreamDefaultReader = later('readable', 'ReadableStreamDefaultReader');
export const WritableStream = later('writable', 'WritableStream');
export const WritableStreamDefaultWriter = later('writable', 'WritableStreamDefaultWriter');

const marks = new WeakMap();
const size = () => 1;

export class CountQueuingStrategy {
  constructor(init) {
    if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
      throw new TypeError('a strategy is made of an object');
    }
    const { highWaterMark } = init;
    if (highWaterMark === undefined) throw new TypeError('a strategy needs a highWaterMark');
    call(primordials.WeakMapPrototypeSet, marks, this, Number(highWaterMark));
  }
  get highWaterMark() {
    return call(primordials.WeakMapPrototypeGet, marks, this);
  }
  get size() {
    return size;
  }
}

export default {
  ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter, CountQueuingStrategy,
};
