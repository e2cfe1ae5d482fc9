// AES: three modes that know each other's mistakes, keys made, imported, exported.
// console: AES-CBC 128 A128CBC 16 48 true
// console: AES-CTR 192 A192CTR 24 40 true
// console: AES-GCM 256 A256GCM 32 56 true
// console: AES-KW 256 wrapKey
// console: OperationError iv length is not 16 bytes
// console: SyntaxError AES-CBC needs `iv`
// console: OperationError counter length is not 16 bytes
// console: OperationError length must be between 1 and 128 bits
// console: NotSupportedError only 12 bytes long iv are supported
// console: NotSupportedError tag length 32 and 64 are not supported
// console: OperationError invalid tag length 100
// console: OperationError decryption failed
// console: OperationError decryption failed
// console: InvalidAccessError key does not contain the 'decrypt' usage
// console: InvalidAccessError the key is of algorithm AES-CBC, not AES-CTR
// console: TypeError the argument is not a CryptoKey
// console: OperationError invalid key length
// console: SyntaxError invalid key usage
// console: NotSupportedError unsupported algorithm AES-KW
// console: NotSupportedError unsupported algorithm AES-KW
// console: NotSupportedError algorithm "AES-KW" doesn't support (in implementation) operation "encrypt"
// console: DataError invalid key length 17 bytes
// console: DataError the key is for "A192CTR", not "A192CBC", says its `alg`
// console: true
const s = crypto.subtle;
const same = (a, b) => String(new Uint8Array(a)) === String(new Uint8Array(b));
const say = (promise) => promise.then((value) => console.log('fine', value), (e) => console.log(e.name, e.message));
const iv = new Uint8Array(16).fill(7);
const modes = {
  'AES-CBC': { name: 'AES-CBC', iv },
  'AES-CTR': { name: 'aes-ctr', counter: iv, length: 64 },
  'AES-GCM': { name: 'AES-GCM', iv: new Uint8Array(12), additionalData: iv },
};
export default async function () {
  const data = new Uint8Array(40).fill(3);
  const keys = {};
  for (const [name, length] of [['AES-CBC', 128], ['AES-CTR', 192], ['AES-GCM', 256]]) {
    const key = (keys[name] = await s.generateKey({ name, length }, true, ['encrypt', 'decrypt']));
    const raw = await s.exportKey('raw', key);
    const jwk = await s.exportKey('jwk', key);
    const locked = await s.encrypt(modes[name], key, data);
    const again = await s.importKey('jwk', jwk, name, false, ['decrypt']);
    console.log(name, key.algorithm.length, jwk.alg, raw.byteLength, locked.byteLength, same(await s.decrypt(modes[name], again, locked), data));
  }
  const wrapping = await s.generateKey({ name: 'AES-KW', length: 256 }, true, ['wrapKey']);
  console.log(wrapping.algorithm.name, wrapping.algorithm.length, wrapping.usages.join());
  const { 'AES-CBC': cbc, 'AES-CTR': ctr, 'AES-GCM': gcm } = keys;
  await say(s.encrypt({ name: 'AES-CBC', iv: new Uint8Array(15) }, cbc, data));
  await say(s.encrypt('AES-CBC', cbc, data));
  await say(s.encrypt({ ...modes['AES-CTR'], counter: new Uint8Array(8) }, ctr, data));
  await say(s.encrypt({ ...modes['AES-CTR'], length: 129 }, ctr, data));
  await say(s.encrypt({ ...modes['AES-GCM'], iv }, gcm, data));
  await say(s.encrypt({ ...modes['AES-GCM'], tagLength: 64 }, gcm, data));
  await say(s.encrypt({ ...modes['AES-GCM'], tagLength: 100 }, gcm, data));
  await say(s.decrypt(modes['AES-GCM'], gcm, data));
  await say(s.decrypt(modes['AES-CBC'], cbc, data));
  await say(s.decrypt(modes['AES-CBC'], await s.importKey('raw', iv, 'AES-CBC', true, ['encrypt']), data));
  await say(s.encrypt(modes['AES-CTR'], cbc, data));
  await say(s.encrypt(modes['AES-CTR'], {}, data));
  await say(s.generateKey({ name: 'AES-CBC', length: 100 }, true, ['encrypt']));
  await say(s.generateKey({ name: 'AES-CBC', length: 128 }, true, ['sign']));
  await say(s.importKey('raw', iv, 'AES-KW', true, ['wrapKey']));
  await say(s.exportKey('raw', wrapping));
  await say(s.encrypt('AES-KW', wrapping, data));
  await say(s.importKey('raw', new Uint8Array(17), 'AES-GCM', true, ['encrypt']));
  await say(s.importKey('jwk', await s.exportKey('jwk', ctr), 'AES-CBC', true, ['encrypt']));
  // Long data goes another way.
  const long = new Uint8Array(200000).map((_, at) => at);
  console.log(same(await s.decrypt(modes['AES-GCM'], gcm, await s.encrypt(modes['AES-GCM'], gcm, long)), long));
}
