// RSA with keys, signatures and texts another implementation made.
// console: SHA-1 true true true sealed
// console: SHA-256 true true true sealed
// console: SHA-384 true true true sealed
// console: SHA-512 true true true sealed
// console: true true true true
// console: private RSASSA-PKCS1-v1_5 2048 1,0,1 {"name":"SHA-256"} sign
// console: true true
// console: true false
// console: d,dp,dq,e,kty,n,p,q,qi
// console: SyntaxError RSA-PSS needs `saltLength`
// console: ImplementationError a salt length of 0 is not supported
// console: OperationError signing failed
// console: InvalidAccessError key does not contain the 'verify' usage
// console: InvalidAccessError the key is of algorithm RSA-PSS, not RSASSA-PKCS1-v1_5
// console: NotSupportedError unsupported key format raw
// console: NotSupportedError unsupported key format raw
// console: InvalidAccessError a public key has no such form
// console: DataError the data is no RSA key
// console: DataError the key is for "RS256", not "PS256", says its `alg`
// console: DataError the JWK has no `n`
// console: SyntaxError RSA-OAEP needs `hash`
// console: OperationError decryption failed
// console: OperationError encryption failed
// console: OperationError publicExponent has to be an odd number from 3 to 2^33
// console: OperationError modulusLength has to be from 1024 to 8192
// console: SyntaxError RSA-OAEP needs `publicExponent`
// console: 0 encrypt
// console: SyntaxError usages cannot not be empty for a secret or private CryptoKey
// console: NotSupportedError algorithm "SHA-3" doesn't support (in implementation) operation "digest"
// console: public encrypt private sign,verify
// console: InvalidAccessError a private key can't verify
import { b64decode, b64encode } from 'k6/encoding';
const known = JSON.parse(open('./data/keys.json')).rsa;
const s = crypto.subtle;
const say = (promise) => promise.then((value) => console.log('fine', value), (e) => console.log(e.name, e.message));
const show = (buffer) => String.fromCharCode(...new Uint8Array(buffer));
export default async function () {
  const text = new TextEncoder().encode('text');
  const [spki, pkcs8] = [b64decode(known.spki), b64decode(known.pkcs8)];
  const pss = { name: 'RSA-PSS', saltLength: 20 };
  const oaep = { name: 'RSA-OAEP', label: new Uint8Array([255, 1]) };
  for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
    const key = await s.importKey('spki', spki, { name: 'RSA-PSS', hash }, true, ['verify']);
    const plain = await s.importKey('spki', spki, { name: 'RSASSA-PKCS1-v1_5', hash }, true, ['verify']);
    const sealed = await s.importKey('pkcs8', pkcs8, { name: 'RSA-OAEP', hash }, true, ['decrypt', 'unwrapKey']);
    const open = await s.importKey('spki', spki, { name: 'RSA-OAEP', hash }, true, ['encrypt']);
    const own = await s.decrypt(oaep, sealed, await s.encrypt(oaep, open, text));
    console.log(hash, await s.verify(pss, key, b64decode(known.pss[hash]), text), await s.verify('RSASSA-PKCS1-v1_5', plain, b64decode(known.pkcs1[hash]), text), show(own) === 'text', show(await s.decrypt(oaep, sealed, b64decode(known.oaep[hash]))));
  }
  const alg = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const key = await s.importKey('jwk', { ...known.jwk, alg: 'RS256' }, alg, true, ['sign']);
  const jwk = await s.exportKey('jwk', key);
  const { n, e, d } = known.jwk;
  const bare = await s.importKey('jwk', { kty: 'RSA', n, e, d }, alg, true, ['sign']);
  console.log(b64encode(await s.exportKey('pkcs8', key)) === known.pkcs8, Object.keys(known.jwk).every((name) => jwk[name] === known.jwk[name]), b64encode(await s.sign(alg.name, key, text)) === known.pkcs1['SHA-256'], b64encode(await s.sign(alg.name, bare, text)) === known.pkcs1['SHA-256']);
  console.log(key.type, key.algorithm.name, key.algorithm.modulusLength, key.algorithm.publicExponent.join(), JSON.stringify(key.algorithm.hash), key.usages.join());
  const pair = { private: await s.importKey('pkcs8', pkcs8, { name: 'RSA-PSS', hash: 'SHA-256' }, false, ['sign']), public: await s.importKey('jwk', { kty: 'RSA', n, e }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['verify']) };
  const [one, other] = [await s.sign(pss, pair.private, text), await s.sign(pss, pair.private, text)];
  console.log(await s.verify(pss, pair.public, one, text), b64encode(one) !== b64encode(other));
  console.log(b64encode(await s.exportKey('spki', pair.public)) === known.spki, await s.verify({ name: 'RSA-PSS', saltLength: 32 }, pair.public, one, text));
  console.log(Object.keys(jwk).sort().join());
  await say(s.sign('RSA-PSS', pair.private, text));
  await say(s.sign({ name: 'RSA-PSS', saltLength: 0 }, pair.private, text));
  await say(s.sign({ name: 'RSA-PSS', saltLength: 300 }, pair.private, text));
  await say(s.verify(pss, pair.private, one, text));
  await say(s.sign(alg.name, pair.private, text));
  await say(s.importKey('raw', spki, alg, true, ['verify']));
  await say(s.exportKey('raw', pair.public));
  await say(s.exportKey('pkcs8', pair.public));
  await say(s.importKey('spki', new Uint8Array(100), alg, true, ['verify']));
  await say(s.importKey('jwk', { ...known.jwk, alg: 'RS256' }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']));
  await say(s.importKey('jwk', { kty: 'RSA', e }, alg, true, ['verify']));
  await say(s.importKey('spki', spki, 'RSA-OAEP', true, ['encrypt']));
  const sealed = await s.importKey('pkcs8', pkcs8, { name: 'RSA-OAEP', hash: 'SHA-1' }, true, ['decrypt']);
  await say(s.decrypt('RSA-OAEP', sealed, b64decode(known.oaep['SHA-1'])));
  const open = await s.importKey('spki', spki, { name: 'RSA-OAEP', hash: 'SHA-1' }, true, ['encrypt']);
  await say(s.encrypt('RSA-OAEP', open, new Uint8Array(300)));
  const wanted = { name: 'RSA-OAEP', hash: 'SHA-1', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  await say(s.generateKey({ ...wanted, publicExponent: new Uint8Array([2]) }, true, ['decrypt']));
  await say(s.generateKey({ ...wanted, modulusLength: 512 }, true, ['decrypt']));
  await say(s.generateKey({ name: 'RSA-OAEP', hash: 'SHA-1', modulusLength: 2048 }, true, ['decrypt']));
  const half = await s.generateKey(wanted, true, ['encrypt']);
  console.log(half.privateKey.usages.length, half.publicKey.usages.join());
  await say(s.generateKey(wanted, true, []));
  await say(s.generateKey({ ...wanted, hash: 'SHA-3' }, true, ['sign']));
  const odd = [await s.importKey('spki', spki, alg, true, ['encrypt']), await s.importKey('pkcs8', pkcs8, alg, true, ['sign', 'verify'])];
  console.log(odd.map((key) => `${key.type} ${key.usages}`).join(' '));
  await say(s.verify(alg.name, odd[1], one, text));
}
