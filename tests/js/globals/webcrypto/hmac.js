// HMAC: RFC 4231, keys in and out, and what is no key.
// console: 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843 true
// console: f938b8edaccc0ecf1f4028c86c1c9122723bb8b537fc73e20460159d536a7cf827f27ff5030fcd32c9f2e918cd5b323eb1239a1e507ff67a5575bb9c991a03eb true
// console: true false false
// console: secret HMAC {"name":"SHA-256"} 32 false sign,verify
// console: {"kty":"oct","k":"SmVmZQ","alg":"HS384","ext":true,"key_ops":["sign","verify"]}
// console: SyntaxError SyntaxError: HMAC needs `hash`
// console: DataError invalid key length 0 bytes
// console: DataError `k` of the JWK is no Base64 for URLs
// console: DataError the key is for "HS384", not "HS256", says its `alg`
// console: DataError the key is for "HS384", not "HS256", says its `alg`
// console: DataError the key is not for "verify", say its `key_ops`
// console: DataError the key is not extractable, says its `ext`
// console: NotSupportedError unsupported key format pkcs8
// console: ImplementationError unsupported format foo
// console: SyntaxError invalid key usage
// console: SyntaxError usages cannot not be empty for a secret or private CryptoKey
// console: NotSupportedError algorithm "MD5" doesn't support (in implementation) operation "digest"
// console: OperationError invalid key length
// console: 136
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (text) => new TextEncoder().encode(text);
const s = crypto.subtle;
const say = (promise) => promise.then((value) => console.log('fine', value), (e) => console.log(e.name, e.message));
export default async function () {
  const [jefe, what] = [bytes('Jefe'), bytes('what do ya want for nothing?')];
  const key = await s.importKey('raw', jefe, { name: 'hmac', hash: { name: 'sha-256' } }, false, ['sign', 'verify', 'sign']);
  const code = await s.sign('HMAC', key, what);
  console.log(hex(code), await s.verify({ name: 'HMAC' }, key, code, what));
  const aa = await s.importKey('raw', new Uint8Array(131).fill(0xaa), { name: 'HMAC', hash: 'SHA-512' }, true, ['sign', 'verify']);
  const own = await s.sign('HMAC', aa, new Uint8Array(1e5));
  const wide512 = await s.importKey('raw', jefe, { name: 'HMAC', hash: 'SHA-512' }, true, ['sign']);
  console.log(hex(await s.sign('HMAC', wide512, bytes('Hi There'))), own.byteLength === 64);
  console.log(await s.verify('HMAC', aa, own, new Uint8Array(1e5)), await s.verify('HMAC', aa, own, what), await s.verify('HMAC', key, own, what));
  console.log(key.type, key.algorithm.name, JSON.stringify(key.algorithm.hash), key.algorithm.length, key.extractable, key.usages.join());
  const wide = await s.importKey('raw', jefe, { name: 'HMAC', hash: 'SHA-384' }, true, ['sign', 'verify']);
  const jwk = await s.exportKey('jwk', wide);
  console.log(JSON.stringify(jwk));
  const hash = { name: 'HMAC', hash: 'SHA-256' };
  await say(s.importKey('raw', jefe, 'HMAC', true, ['sign']).catch((e) => Promise.reject({ name: e.name, message: String(e) })));
  await say(s.importKey('raw', new Uint8Array(0), hash, true, ['sign']));
  await say(s.importKey('jwk', { kty: 'oct', k: '/+' }, hash, true, ['sign']));
  await say(s.importKey('jwk', jwk, hash, true, ['sign']));
  await say(s.importKey('jwk', { ...jwk, ext: undefined, key_ops: undefined }, hash, true, ['sign']));
  await say(s.importKey('jwk', { ...jwk, key_ops: ['sign'] }, { name: 'HMAC', hash: 'SHA-384' }, true, ['verify']));
  await say(s.importKey('jwk', { ...jwk, ext: false }, { name: 'HMAC', hash: 'SHA-384' }, true, ['verify']));
  await say(s.exportKey('pkcs8', wide));
  await say(s.importKey('foo', jefe, hash, true, ['sign']));
  await say(s.importKey('raw', jefe, hash, true, ['encrypt']));
  await say(s.importKey('raw', jefe, hash, true, []));
  await say(s.generateKey({ name: 'HMAC', hash: 'MD5' }, true, ['sign']));
  await say(s.generateKey({ ...hash, length: 0 }, true, ['sign']));
  console.log((await s.generateKey({ ...hash, length: 136 }, true, ['sign'])).algorithm.length);
}
