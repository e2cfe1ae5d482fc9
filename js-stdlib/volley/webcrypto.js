// crypto: random numbers, and WebCrypto when a script asks for it. A part.
({ webcrypto }, { evaluate }) => {
let subtle;
const crypto = {
  getRandomValues(array) {
    const kind = ArrayBuffer.isView(array) ? array[Symbol.toStringTag] : '';
    const bytes = webcrypto('getRandomValues', kind, array?.byteLength);
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(new Uint8Array(bytes));
    return array;
  },
  randomUUID: () => webcrypto('randomUUID'),
  get subtle() {
    return (subtle ??= evaluate('volley/webcrypto/subtle')(webcrypto));
  },
  CryptoKey: {},
};
for (const name of Object.keys(crypto)) {
  Object.defineProperty(crypto, name, name === 'subtle' ? { configurable: false } : { writable: false, configurable: false });
}
return crypto;
}
