// What few scripts do to an array all VUs share: look at its properties one by one, or try to change it. An expression,
// called with the function that finds the place a property's name means.
((place, { String, TypeError }) => {
function refuse(key) {
  if (place(key) >= 0 || key === 'length') throw new TypeError('SharedArray is immutable');
  throw new TypeError(`Cannot set property "${String(key)}" on a dynamic array`);
}

return {
  __proto__: null,
  set: (_, key) => refuse(key),
  defineProperty: (_, key) => refuse(key),
  deleteProperty(target, key) {
    if (place(key) >= 0 || key === 'length') refuse(key);
    return delete target[key];
  },
  preventExtensions() {
    throw new TypeError('Cannot make a dynamic array non-extensible');
  },
  ownKeys() {
    const keys = [];
    for (let at = 0; at < this.length; at++) keys[at] = String(at);
    keys[this.length] = 'length';
    return keys;
  },
  getOwnPropertyDescriptor(target, key) {
    if (key === 'length') return { __proto__: null, value: this.length, writable: true, enumerable: false, configurable: false };
    if (!this.has(target, key) || place(key) < 0) return undefined;
    return { __proto__: null, value: this.get(target, key), writable: true, enumerable: true, configurable: true };
  },
};
})
