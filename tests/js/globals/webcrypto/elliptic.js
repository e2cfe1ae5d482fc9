// ECDSA and ECDH with keys, signatures and secrets another implementation made, and with keys of our own.
// console: P-256 true,true,true,true true true true true true
// console: P-384 true,true,true,true true true true true true
// console: P-521 true,true,true,true true true true true true
// console: {"kty":"EC","crv":"P-256","x":"UTcOqj-uRyO3kw-1qZir-de44sMKVdLOjdAjaBK4jKo","y":"EaRbVO9vt4dia-u_o6tG7_LU88IMvTs11_wOuVQO-MY"}
// console: private P-256 false sign public true verify
// console: 64 false true false
// console: deriveBits,deriveKey  true
// console: NotSupportedError elliptic curve P-999 is not supported
// console: SyntaxError ECDSA needs `namedCurve`
// console: SyntaxError ECDSA needs `hash`
// console: fine sign  | verify
// console: SyntaxError usages cannot not be empty for a secret or private CryptoKey
// console: SyntaxError invalid key usage
// console: public sign
// console: SyntaxError invalid key usage
// console: InvalidAccessError a public key can't sign
// console: DataError the data is no key of P-384
// console: DataError the data is no key of P-256
// console: private P-256
// console: DataError invalid curve, `crv` has to be P-256, P-384 or P-521
// console: DataError the point is not on the curve
// console: DataError the point is not on the curve
// console: false OperationError AA AA true
// console: true
// console: DataError invalid key type, `kty` has to be "EC"
// console: InvalidAccessError the key is not extractable
// console: InvalidAccessError a public key has no such form
// console: OperationError length can not be 0
// console: OperationError currently only multiples of 8 are supported for length
// console: OperationError the secret has no more than 256 bits
// console: InvalidAccessError the keys are of two curves
// console: InvalidAccessError `public` is not a public key
// console: InvalidAccessError the public key is not one of ECDH
// console: TypeError ECDH: `public` is not a CryptoKey
// console: TypeError ECDH: `public` is not a CryptoKey
// console: NotSupportedError algorithm "ECDH" doesn't support (in implementation) operation "deriveKey"
import { b64decode, b64encode } from 'k6/encoding';
const keys = JSON.parse(open('./data/keys.json'));
const s = crypto.subtle;
const say = (promise) => promise.then((value) => console.log('fine', value), (e) => console.log(e.name, e.message));
export default async function () {
  const text = new TextEncoder().encode('text');
  for (const namedCurve of ['P-256', 'P-384', 'P-521']) {
    const known = keys[namedCurve];
    const alg = { name: 'ECDSA', namedCurve };
    const point = await s.importKey('spki', b64decode(known.spki), alg, true, ['verify']);
    const verified = [];
    for (const hash of Object.keys(known.sig)) verified.push(await s.verify({ name: 'ECDSA', hash }, point, b64decode(known.sig[hash]), text));
    const secret = await s.importKey('jwk', known.jwk, alg, true, ['sign']);
    const again = await s.importKey('pkcs8', b64decode(known.pkcs8), alg, true, ['sign']);
    const own = await s.verify({ name: 'ECDSA', hash: 'SHA-1' }, point, await s.sign({ name: 'ECDSA', hash: 'SHA-1' }, again, text), text);
    const [{ x, y, d }, agree] = [await s.exportKey('jwk', again), { name: 'ECDH', namedCurve }];
    const mine = await s.importKey('jwk', known.jwk, agree, false, ['deriveBits']);
    const theirs = await s.importKey('raw', b64decode(known.peer), agree, true, []);
    const bits = await s.deriveBits({ name: 'ECDH', public: theirs }, mine, namedCurve === 'P-521' ? 528 : Number(namedCurve.slice(2)));
    console.log(namedCurve, verified.join(), own, b64encode(await s.exportKey('pkcs8', secret)) === known.pkcs8, b64encode(await s.exportKey('spki', point)) === known.spki, x === known.jwk.x && y === known.jwk.y && d === known.jwk.d, b64encode(bits) === known.bits);
  }
  const alg = { name: 'ECDSA', namedCurve: 'P-256' };
  const known = keys['P-256'];
  const point = await s.importKey('spki', b64decode(known.spki), alg, true, ['verify']);
  console.log(JSON.stringify(await s.exportKey('jwk', point)));
  const { privateKey, publicKey } = await s.generateKey(alg, false, ['sign', 'verify']);
  console.log(privateKey.type, privateKey.algorithm.namedCurve, privateKey.extractable, privateKey.usages.join(), publicKey.type, publicKey.extractable, publicKey.usages.join());
  const p = { name: 'ECDSA', hash: { name: 'SHA-256' } };
  const [one, other] = [await s.sign(p, privateKey, text), await s.sign(p, privateKey, text)];
  console.log(one.byteLength, b64encode(one) === b64encode(other), await s.verify(p, publicKey, one, text), await s.verify(p, point, one, text));
  const pair = await s.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits', 'deriveKey']);
  console.log(pair.privateKey.usages.join(), pair.publicKey.usages.join(), pair.publicKey.extractable);
  await say(s.generateKey({ name: 'ECDSA', namedCurve: 'P-999' }, true, ['sign']));
  await say(s.generateKey('ECDSA', true, ['sign']));
  await say(s.sign('ECDSA', privateKey, text));
  const half = await s.generateKey(alg, true, ['verify']);
  console.log('fine sign', half.privateKey.usages.join(), '|', half.publicKey.usages.join());
  await say(s.generateKey(alg, true, []));
  await say(s.generateKey(alg, true, ['deriveBits']));
  const odd = await s.importKey('spki', b64decode(known.spki), alg, true, ['sign']);
  console.log(odd.type, odd.usages.join());
  await say(s.importKey('spki', b64decode(known.spki), alg, true, ['read']));
  await say(s.sign(p, odd, text));
  await say(s.importKey('spki', b64decode(known.spki), { name: 'ECDSA', namedCurve: 'P-384' }, true, ['verify']));
  await say(s.importKey('raw', new Uint8Array(65), alg, true, ['verify']));
  const named = await s.importKey('jwk', known.jwk, { name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign']);
  console.log(named.type, named.algorithm.namedCurve);
  await say(s.importKey('jwk', { ...known.jwk, crv: 'P-1' }, alg, true, ['sign']));
  await say(s.importKey('jwk', { ...known.jwk, x: known.jwk.y }, alg, true, ['sign']));
  const { kty, crv, x, y } = known.jwk;
  await say(s.importKey('jwk', { kty, crv, x: y, y }, { name: 'ECDH', namedCurve: 'P-256' }, true, []));
  const beside = await s.importKey('jwk', { kty, crv, x: 'AA', y: 'AA' }, alg, true, ['verify']);
  const written = await s.exportKey('jwk', beside);
  console.log(await s.verify(p, beside, one, text), await s.exportKey('spki', beside).catch((error) => error.name), written.x.slice(0, 2), written.y.slice(-2), /^A+$/.test(written.x));
  const zeros = await s.importKey('jwk', { kty, crv, x: b64encode(new Uint8Array([0, ...new Uint8Array(b64decode(x, 'rawurl'))]).buffer, 'rawurl'), y }, alg, true, ['verify']);
  console.log((await s.exportKey('jwk', zeros)).x === x);
  await say(s.importKey('jwk', { ...known.jwk, kty: 'oct' }, alg, true, ['sign']));
  await say(s.exportKey('pkcs8', privateKey));
  await say(s.exportKey('pkcs8', publicKey));
  const agree = { name: 'ECDH', public: pair.publicKey };
  await say(s.deriveBits(agree, pair.privateKey, null));
  await say(s.deriveBits(agree, pair.privateKey, 7));
  await say(s.deriveBits(agree, pair.privateKey, 264));
  const wide = await s.generateKey({ name: 'ECDH', namedCurve: 'P-384' }, false, ['deriveBits']);
  await say(s.deriveBits({ name: 'ECDH', public: wide.publicKey }, pair.privateKey, 64));
  await say(s.deriveBits({ name: 'ECDH', public: pair.privateKey }, pair.privateKey, 64));
  await say(s.deriveBits({ name: 'ECDH', public: point }, pair.privateKey, 64));
  await say(s.deriveBits({ name: 'ECDH', public: {} }, pair.privateKey, 64));
  await say(s.deriveBits({ name: 'ECDH' }, pair.privateKey, 64));
  await say(s.deriveKey(agree, pair.privateKey, { name: 'AES-GCM', length: 256 }, true, ['encrypt']));
}
