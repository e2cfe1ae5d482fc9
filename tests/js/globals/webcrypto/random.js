// crypto: what it is, and random numbers.
// console: object object,object,function,function true
// console: true true true
// console: GoError: TypeMismatchError: typedArray parameter isn't a TypedArray instance
// console: GoError: TypeMismatchError: typedArray parameter isn't a TypedArray instance
// console: GoError: TypeMismatchError: typedArray parameter isn't a TypedArray instance
// console: GoError: TypeMismatchError: typedArray parameter isn't a TypedArray instance
// console: GoError: QuotaExceededError: typedArray parameter is too big; maximum length is 65536
// console: 0,0,false,false,0,0
// console: true false
// console: GoError: not implemented
// console: mine
const before = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
const text = (f) => {
  try {
    return String(f());
  } catch (error) {
    return String(error);
  }
};
export default function () {
  const kinds = ['subtle', 'CryptoKey', 'getRandomValues', 'randomUUID'].map((name) => typeof crypto[name]);
  console.log(typeof crypto, kinds.join(), before.enumerable);
  console.log(crypto === globalThis.crypto, crypto.subtle === crypto.subtle, Object.keys(globalThis).includes('crypto'));
  for (const wrong of [new Float64Array(1), [1, 2], undefined, new DataView(new ArrayBuffer(4)), new Uint32Array(16385)]) {
    console.log(text(() => crypto.getRandomValues(wrong)));
  }
  // Only what a view shows is filled.
  const bytes = new Uint8Array(36);
  crypto.getRandomValues(bytes.subarray(2, 34));
  const shown = bytes.subarray(2, 34);
  console.log([bytes[0], bytes[1], shown.every((byte) => byte === 0), crypto.getRandomValues(new Int16Array(20)).every((n) => n === 0), bytes[34], bytes[35]].join());
  const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
  console.log(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(one), one === other);
  console.log(text(() => crypto.subtle.wrapKey()));
  crypto = 'mine';
  console.log(crypto);
}
