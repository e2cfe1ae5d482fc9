// What few scripts do to an array all VUs share: look at its properties one by one, or try to change it. An expression,
// called with the function that finds the place a property's name means.
((place) => {
function refuse(key) {
  if (place(key) >= 0 || key === 'length') throw new TypeError('SharedArray is immutable');
  throw new TypeError(`Cannot set property "${String(key)}" on a dynamic array`);
}

return {
  set: (_, key) => refuse(key),
  defineProperty: (_, key) => refuse(key),
  deleteProperty(target, key) {
    if (place(key) >= 0 || key === 'length') refuse(key);
    return Reflect.deleteProperty(target, key);
  },
  preventExtensions() {
    throw new TypeError('Cannot make a dynamic array non-extensible');
  },
  ownKeys() {
    return Array.from({ length: this.length }, (_, at) => String(at)).concat(['length']);
  },
  getOwnPropertyDescriptor(target, key) {
    if (key === 'length') return { value: this.length, writable: true, enumerable: false, configurable: false };
    if (!this.has(target, key) || place(key) < 0) return undefined;
    return { value: this.get(target, key), writable: true, enumerable: true, configurable: true };
  },
};
})
