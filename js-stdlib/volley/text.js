// TextEncoder and TextDecoder. A lazy script.
({ encodeText, makeDecoder, decodeText }, { primordials }) => {
const { ArrayBufferIsView, String, Uint8Array } = primordials;
class TextEncoder {
  constructor() {
    this.encoding = 'utf-8';
    this.encode = (value) => new Uint8Array(encodeText(value === undefined ? '' : String(value)));
  }
}

// The bytes a view of any kind shows.
const shown = (input) =>
  ArrayBufferIsView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : input;

class TextDecoder {
  constructor(label, options) {
    this.fatal = !!options?.fatal;
    this.ignoreBOM = !!options?.ignoreBOM;
    const made = makeDecoder(label === undefined ? '' : String(label), this.fatal, this.ignoreBOM);
    this.encoding = made[1];
    this.decode = (input, given) => decodeText(made[0], shown(input), !!given?.stream);
  }
}

return { TextEncoder, TextDecoder };
}
