// An array all VUs share, as scripts see it. It is read through these two traps; everything else that can be done to an array is
// in a lazy script.
import { element } from 'native:volley/shared_array';
import { once, primordials } from 'native:engine';

const { ObjectFreeze, ObjectKeys, Proxy, String } = primordials;

// Counting, and asking before calling, halves the time of it: every access to an element comes here.
function freeze(value) {
  if (value === null || typeof value !== 'object') return value;
  const names = ObjectKeys(value);
  for (let at = 0; at < names.length; at++) {
    const member = value[names[at]];
    if (member !== null && typeof member === 'object') freeze(member);
  }
  return ObjectFreeze(value);
}

// The place a property's name means; -1 if it means none.
function place(key) {
  if (typeof key === 'symbol') return -1;
  const at = key >>> 0;
  return String(at) === key ? at : -1;
}

const traps = {
  __proto__: new Proxy({ __proto__: null }, { __proto__: null, get: (_, name) => once('volley/shared_array_traps', place, primordials)[name] }),
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

export const view = (made) => new Proxy([], { __proto__: traps, handle: made[0], length: made[1] });
