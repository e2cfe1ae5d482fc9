// Hashes at once and piece by piece, keyed and not, in every spelling.
// console: 900150983cd24fb0d6963f7d28e17f72 kAFQmDzST7DWlj99KOF/cg== kAFQmDzST7DWlj99KOF_cg== kAFQmDzST7DWlj99KOF_cg 16
// console: undefined undefined 900150983cd24fb0d6963f7d28e17f72 900150983cd24fb0d6963f7d28e17f72
// console: md5 failed: invalid type int64, expected string, []byte or ArrayBuffer
// console: invalid type []uint16, expected string, []byte or ArrayBuffer
// console: invalid algorithm: nope
// console: createHMAC,createHash,hexEncode,hmac,md4,md5,randomBytes,ripemd160,sha1,sha256,sha384,sha512,sha512_224,sha512_256
import crypto, { md5, createHash } from 'k6/crypto';

const message = (call) => {
  try { return call(); } catch (error) { return error.message; }
};

export default function () {
  console.log(...['hex', 'base64', 'base64url', 'base64rawurl'].map((encoding) => md5('abc', encoding)), md5('abc', 'binary').byteLength);
  const hash = createHash('md5');
  console.log(hash.update('ab'), hash.update(new Uint8Array([99]).buffer), hash.digest('hex'), hash.digest('hex'));
  console.log(message(() => md5(5, 'hex')));
  console.log(message(() => crypto.hexEncode(new Uint16Array(1))));
  console.log(message(() => crypto.createHash('nope')));
  console.log(Object.keys(crypto).sort().join());
}
