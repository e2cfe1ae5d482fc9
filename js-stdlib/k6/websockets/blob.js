// Blob: bytes with a type. An expression, called with the native half and the way to load a module.
(({ join, text }, load, call, primordials) => {
const { ArrayBufferPrototypeSlice, StringPrototypeSlice, ArrayBufferIsView, ArrayIsArray, Number, ObjectDefineProperty, String, Uint8Array } = primordials;
// The length of a chunk of a blob's stream.
const CHUNK = 64 * 1024;

const isNothing = (value) => value === undefined || value === null;

function bytes(part) {
  if (part instanceof Blob) return Blob.data(part);
  return ArrayBufferIsView(part) ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength) : part;
}

// A place in bytes as `slice` counts it: from the end where it is negative.
function place(value, size, otherwise) {
  if (isNothing(value)) return otherwise;
  const given = Number(value) || 0;
  if (given >= size) return size;
  if (given <= -size) return 0;
  const at = given | 0;
  return at < 0 ? size + at : at;
}

function streams() {
  try {
    return load('k6/experimental/streams');
  } catch {
    throw new GoError('Blob.stream() needs the module k6/experimental/streams');
  }
}

class Blob {
  #data;
  #type;
  constructor(parts, options) {
    if (!isNothing(parts) && !ArrayIsArray(parts)) {
      throw new GoError(`failed to process [blobParts]: could not convert ${String(parts)} to []interface {}`);
    }
    if (!isNothing(options) && typeof options !== 'object') throw new GoError('[options] must be an object');
    const list = [];
    const count = parts?.length ?? 0;
    for (let at = 0; at < count; at++) list[at] = bytes(parts[at]);
    this.#data = join(list);
    this.#type = isNothing(options?.type) ? '' : String(options.type);
  }
  static {
    ObjectDefineProperty(Blob, 'data', { __proto__: null, value: (blob) => blob.#data });
  }
  get size() {
    return this.#data.byteLength;
  }
  get type() {
    return this.#type;
  }
  get [primordials.SymbolToStringTag]() {
    return 'Blob';
  }
  async arrayBuffer() {
    return call(ArrayBufferPrototypeSlice, this.#data, 0);
  }
  async bytes() {
    return new Uint8Array(call(ArrayBufferPrototypeSlice, this.#data, 0));
  }
  async text() {
    return text(this.#data);
  }
  slice(start, end, type) {
    const size = this.#data.byteLength;
    const from = place(start, size, 0);
    const to = place(end, size, size);
    return new Blob([call(ArrayBufferPrototypeSlice, this.#data, from, to > from ? to : from)], { type });
  }
  stream() {
    const { ReadableStream } = streams();
    const whole = text(this.#data);
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        // Two halves of a letter stay together.
        const last = at + CHUNK < whole.length ? whole[at + CHUNK - 1] : '';
        const cut = last >= '\ud800' && last < '\udc00' ? CHUNK - 1 : CHUNK;
        if (at < whole.length) controller.enqueue(call(StringPrototypeSlice, whole, at, at + cut));
        at += cut;
        if (at >= whole.length) controller.close();
      },
    });
  }
}

return Blob;
})
