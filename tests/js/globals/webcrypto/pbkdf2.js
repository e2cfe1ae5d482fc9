// PBKDF2: RFC 6070, keys for AES, and what it refuses.
// console: 4b007901b765489abead49d926f721d065a429c1
// console: 0c60c80f961f0e71f3a9b524af6012062fe037a6
// console: secret AES-CTR 128 false encrypt true
// console: {"name":"PBKDF2"}
// console: SyntaxError a key for PBKDF2 can't be extractable
// console: SyntaxError invalid key usage
// console: NotSupportedError unsupported key format jwk
// console: OperationError iterations can not be 0
// console: SyntaxError PBKDF2 needs `salt`
// console: OperationError length can not be 0
// console: NotSupportedError algorithm "HMAC" doesn't support (in implementation) operation "getKeyLength"
// console: OperationError invalid key length
// console: SyntaxError usages cannot not be empty for a secret or private CryptoKey
// console: InvalidAccessError key does not contain the 'deriveKey' usage
// console: NotSupportedError unsupported algorithm PBKDF2
// console: NotSupportedError algorithm "HKDF" doesn't support (in implementation) operation "importKey"
// console: NotSupportedError algorithm "PBKDF2" doesn't support (in implementation) operation "generateKey"
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (text) => new TextEncoder().encode(text);
const s = crypto.subtle;
const say = (promise) => promise.then((value) => console.log('fine', value), (e) => console.log(e.name, e.message));
export default async function () {
  const base = await s.importKey('raw', bytes('password'), 'PBKDF2', false, ['deriveKey', 'deriveBits']);
  const p = { name: 'PBKDF2', hash: 'SHA-1', salt: bytes('salt'), iterations: 4096 };
  console.log(hex(await s.deriveBits(p, base, 160)));
  console.log(hex(await s.deriveBits({ ...p, iterations: 1 }, base, 160)));
  const key = await s.deriveKey(p, base, { name: 'AES-CTR', length: 128 }, false, ['encrypt']);
  const counter = new Uint8Array(16);
  const other = await s.importKey('raw', new Uint8Array('4b007901b765489abead49d926f721d0'.match(/../g).map((x) => parseInt(x, 16))), 'AES-CTR', true, ['encrypt']);
  const [one, two] = [await s.encrypt({ name: 'AES-CTR', counter, length: 8 }, key, counter), await s.encrypt({ name: 'AES-CTR', counter, length: 8 }, other, counter)];
  console.log(key.type, key.algorithm.name, key.algorithm.length, key.extractable, key.usages.join(), hex(one) === hex(two));
  console.log(JSON.stringify(base.algorithm));
  await say(s.importKey('raw', bytes('x'), 'PBKDF2', true, ['deriveBits']));
  await say(s.importKey('raw', bytes('x'), 'PBKDF2', false, ['sign']));
  await say(s.importKey('jwk', { kty: 'oct', k: 'AA' }, 'PBKDF2', false, ['deriveBits']));
  await say(s.deriveBits({ ...p, iterations: 0 }, base, 160));
  await say(s.deriveBits({ ...p, salt: undefined }, base, 160));
  await say(s.deriveBits(p, base));
  await say(s.deriveKey(p, base, { name: 'HMAC', hash: 'SHA-1' }, true, ['sign']));
  await say(s.deriveKey(p, base, { name: 'AES-CBC', length: 64 }, true, ['encrypt']));
  await say(s.deriveKey(p, base, { name: 'AES-CBC', length: 256 }, true, []));
  const bits = await s.importKey('raw', bytes('x'), 'PBKDF2', false, ['deriveBits']);
  await say(s.deriveKey(p, bits, { name: 'AES-CBC', length: 256 }, true, ['encrypt']));
  await say(s.exportKey('raw', base));
  await say(s.importKey('raw', bytes('x'), 'HKDF', false, ['deriveBits']));
  await say(s.generateKey('PBKDF2', false, ['deriveBits']));
}
