// Views other than of single bytes are no bytes to k6; Rust sees only what they show.
export const bytes = (value) =>
  ArrayBuffer.isView(value) && !(value instanceof Uint8Array || value instanceof Uint8ClampedArray)
    ? { 'volley.kind': `[]${value[Symbol.toStringTag].replace(/Big|Array/g, '').toLowerCase()}` }
    : value;

// How k6 takes a text.
export const text = (value) => (value === undefined || value === null ? '' : String(value));
