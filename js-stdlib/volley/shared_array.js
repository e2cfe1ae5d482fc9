// An array all VUs share, as scripts see it. It is read through these two traps; whatever else can be done to an array is
// a part.
import { element } from 'native:volley/shared_array';
import { lazy, once } from 'volley/globals';

function freeze(value) {
  if (value !== null && typeof value === 'object') {
    for (const key of Object.keys(value)) freeze(value[key]);
    Object.freeze(value);
  }
  return value;
}

// The place a property's name means; -1 if it means none.
function place(key) {
  if (typeof key === 'symbol') return -1;
  const at = key >>> 0;
  return String(at) === key ? at : -1;
}

const traps = {
  __proto__: lazy(() => once('volley/shared_array_traps', place)),
  get(target, key) {
    const at = place(key);
    if (at >= 0) return at < this.length ? freeze(element(this.handle, at)) : undefined;
    return key === 'length' ? this.length : target[key];
  },
  has(target, key) {
    const at = place(key);
    return at >= 0 ? at < this.length : key in target;
  },
};

export const view = ([handle, length]) => new Proxy([], { __proto__: traps, handle, length });
