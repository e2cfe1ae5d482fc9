import { call, primordials } from 'native:engine';

// Views other than of single bytes are no bytes to k6; Rust sees only what they show.
export const bytes = (value) =>
  primordials.ArrayBufferIsView(value) && !(value instanceof primordials.Uint8Array || value instanceof primordials.Uint8ClampedArray)
    ? { 'volley.kind': `[]${kind(value)}` }
    : value;

// The kind of its elements, as Go calls it: `Float64Array` holds `float64`.
export const kind = (view) => {
  const name = view[primordials.SymbolToStringTag];
  const from = call(primordials.StringPrototypeIndexOf, name, 'Big') === 0 ? 3 : 0;
  const end = call(primordials.StringPrototypeIndexOf, name, 'Array');
  return call(primordials.StringPrototypeToLowerCase, call(primordials.StringPrototypeSlice, name, from, end < 0 ? undefined : end));
};

// How k6 takes a text.
export const text = (value) => (value === undefined || value === null ? '' : primordials.String(value));
