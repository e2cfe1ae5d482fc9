// crypto: random numbers, and WebCrypto when a script asks for it. A lazy script.
({ webcrypto }, { evaluate, call, primordials }) => {
const { ArrayBufferIsView, ObjectDefineProperty, ObjectKeys, Uint8Array } = primordials;
const { SymbolToStringTag: toStringTag } = primordials;
let subtle;
const crypto = {
  getRandomValues(array) {
    const kind = ArrayBufferIsView(array) ? array[toStringTag] : '';
    const bytes = webcrypto('getRandomValues', kind, array?.byteLength);
    const from = new Uint8Array(bytes);
    const into = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let at = 0; at < from.length; at++) into[at] = from[at];
    return array;
  },
  randomUUID: () => webcrypto('randomUUID'),
  get subtle() {
    return (subtle ??= evaluate('volley/webcrypto/subtle')(webcrypto, call, primordials));
  },
  CryptoKey: {},
};
const names = ObjectKeys(crypto);
for (let at = 0; at < names.length; at++) {
  const name = names[at];
  const fixed = name === 'subtle' ? {} : { writable: false };
  ObjectDefineProperty(crypto, name, { __proto__: null, configurable: false, ...fixed });
}
return crypto;
}
