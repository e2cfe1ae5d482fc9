// k6/experimental/streams: readable and writable streams, as far as k6 has them. Each half is loaded when one of its
// classes is first used: to many VUs that import this, or something that does, they are a burden.
import { load } from 'native:engine';

// What stands for a class that is loaded when it is first used.
function later(half, name) {
  let known;
  const real = () => {
    if (known === undefined) {
      known = load(`volley/${half}_stream`)[name];
      Object.defineProperty(known.prototype, 'constructor', { value: stand, writable: true, configurable: true });
    }
    return known;
  };
  const stand = new Proxy(function () {}, {
    get: (_, key) => Reflect.get(real(), key),
    set: (_, key, value) => Reflect.set(real(), key, value),
    construct: (_, list, target) => Reflect.construct(real(), list, target === stand ? real() : target),
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
    marks.set(this, Number(highWaterMark));
  }
  get highWaterMark() {
    return marks.get(this);
  }
  get size() {
    return size;
  }
}

export default {
  ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter, CountQueuingStrategy,
};
