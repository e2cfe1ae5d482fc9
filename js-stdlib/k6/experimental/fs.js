// k6/experimental/fs: files whose bytes all VUs share; where a handle stands is its VU's own.
import * as native from 'native:k6/experimental/fs';

const NATIVE = Symbol.for('volley.native');

export const SeekMode = { Start: 0, Current: 1, End: 2 };

const missing = (value) => value === undefined || value === null;

// Promises of this module reject with these: no errors, but they have a name and print as one.
function refusal(name, message) {
  return Object.defineProperty({ name, message }, 'toString', { value: () => `${name}: ${message}` });
}
const wrong = (reason) => Promise.reject(refusal('TypeError', reason));

async function told(promise) {
  const { value, name, message } = await promise;
  if (name !== undefined) throw refusal(name, message);
  return value;
}

class File {
  constructor(file, path) {
    Object.defineProperty(this, NATIVE, { value: file });
    this.path = path;
  }
  stat() {
    return told(native.stat(this));
  }
  async read(into) {
    if (missing(into)) return wrong('read() failed; reason: into argument cannot be null or undefined');
    if (into.constructor !== Uint8Array) return wrong('read() failed; reason: into argument must be a Uint8Array');
    const bytes = await told(native.read(this, into.buffer.byteLength));
    if (bytes === null) return null;
    // All of the buffer is filled, whatever part of it the array shows: that is k6's way.
    new Uint8Array(into.buffer).set(new Uint8Array(bytes));
    return bytes.byteLength;
  }
  seek(offset, whence) {
    if (missing(offset)) return wrong('seek() failed; reason: the offset argument cannot be null or undefined');
    if (typeof offset !== 'number') return wrong('seek() failed; reason: the offset argument must be a number');
    if (missing(whence)) return wrong('seek() failed; reason: the whence argument cannot be null or undefined');
    if (typeof whence !== 'number') return wrong('seek() failed; reason: the whence argument must be a number');
    if (![0, 1, 2].includes(Math.trunc(whence))) return wrong('seek() failed; reason: the whence argument must be a SeekMode');
    return told(native.seek(this, Math.trunc(offset), Math.trunc(whence)));
  }
}

export const open = async (path) => {
  if (!native.inInit()) {
    return Promise.reject(refusal('ForbiddenError', 'open() failed; reason: opening a file is allowed only in the Init context'));
  }
  if (missing(path)) return wrong('open() failed; reason: path cannot be null or undefined');
  if (String(path) === '') return wrong('open() failed; reason: path cannot be empty');
  return new File(...(await told(native.open(String(path)))));
};

export default { open, SeekMode };
