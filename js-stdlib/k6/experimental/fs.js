// k6/experimental/fs: files whose bytes all VUs share; the offset of a handle is its VU's own.
import * as native from 'native:k6/experimental/fs';
import { primordials } from 'native:engine';

const { ObjectDefineProperty, String, Uint8Array } = primordials;

const NATIVE = primordials.SymbolFor('volley.native');

export const SeekMode = { Start: 0, Current: 1, End: 2 };

const missing = (value) => value === undefined || value === null;

// Promises of this module reject with these: no errors, but they have a name and print as one.
function refusal(name, message) {
  return ObjectDefineProperty({ name, message }, 'toString', { __proto__: null, value: () => `${name}: ${message}` });
}
const wrong = async (reason) => {
  throw refusal('TypeError', reason);
};

async function told(promise) {
  const { value, name, message } = await promise;
  if (name !== undefined) throw refusal(name, message);
  return value;
}

class File {
  constructor(file, path) {
    ObjectDefineProperty(this, NATIVE, { __proto__: null, value: file });
    this.path = path;
  }
  stat() {
    return told(native.stat(this));
  }
  async read(into) {
    if (missing(into)) return await wrong('read() failed; reason: into argument cannot be null or undefined');
    if (into.constructor !== Uint8Array) return await wrong('read() failed; reason: into argument must be a Uint8Array');
    const bytes = await told(native.read(this, into.buffer.byteLength));
    if (bytes === null) return null;
    // All of the buffer is filled, whatever part of it the array shows: that is k6's way.
    const from = new Uint8Array(bytes);
    const all = new Uint8Array(into.buffer);
    for (let at = 0; at < from.length; at++) all[at] = from[at];
    return bytes.byteLength;
  }
  seek(offset, whence) {
    if (missing(offset)) return wrong('seek() failed; reason: the offset argument cannot be null or undefined');
    if (typeof offset !== 'number') return wrong('seek() failed; reason: the offset argument must be a number');
    if (missing(whence)) return wrong('seek() failed; reason: the whence argument cannot be null or undefined');
    if (typeof whence !== 'number') return wrong('seek() failed; reason: the whence argument must be a number');
    const start = whence - (whence % 1);
    if (start !== 0 && start !== 1 && start !== 2) return wrong('seek() failed; reason: the whence argument must be a SeekMode');
    return told(native.seek(this, offset - offset === 0 ? offset - (offset % 1) : offset, start));
  }
}

export const open = async (path) => {
  if (!native.inInit()) {
    throw refusal('ForbiddenError', 'open() failed; reason: opening a file is allowed only in the Init context');
  }
  if (missing(path)) return await wrong('open() failed; reason: path cannot be null or undefined');
  if (String(path) === '') return await wrong('open() failed; reason: path cannot be empty');
  const opened = await told(native.open(String(path)));
  return new File(opened[0], opened[1]);
};

export default { open, SeekMode };
