// TextEncoder and TextDecoder. A part.
({ encodeText, makeDecoder, decodeText }) => {
class TextEncoder {
  constructor() {
    this.encoding = 'utf-8';
    this.encode = (value) => new Uint8Array(encodeText(value === undefined ? '' : String(value)));
  }
}

// The bytes a view of any kind shows.
const shown = (input) =>
  ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : input;

class TextDecoder {
  constructor(label, options) {
    this.fatal = Boolean(options?.fatal);
    this.ignoreBOM = Boolean(options?.ignoreBOM);
    const [decoder, encoding] = makeDecoder(label === undefined ? '' : String(label), this.fatal, this.ignoreBOM);
    this.encoding = encoding;
    this.decode = (input, given) => decodeText(decoder, shown(input), Boolean(given?.stream));
  }
}

return { TextEncoder, TextDecoder };
}
