// k6/crypto: hashes, keyed and not, and random bytes.
import { hash, keyed, hasher, hashers, update, digest, hex, random } from 'native:k6/crypto';
import { bytes, text } from 'volley/bytes';
import { primordials } from 'native:engine';

const methods = {
  update(data) {
    update(this, bytes(data));
  },
  digest(encoding) {
    return digest(this, text(encoding));
  },
};

export const createHash = (name) => primordials.ObjectSetPrototypeOf(hasher(text(name)), methods);
export const createHMAC = (name, key) => primordials.ObjectSetPrototypeOf(hasher(text(name), bytes(key), true), methods);
export const hmac = (name, key, data, encoding) => keyed(text(name), bytes(key), bytes(data), text(encoding));
export const hexEncode = (data) => hex(bytes(data));
export const randomBytes = (size) => random(primordials.Number(size));

const one = {};
for (let at = 0, names = hashers(); at < names.length; at++) {
  const name = names[at];
  one[name] = (data, encoding) => hash(name, bytes(data), text(encoding));
}
export const { md4, md5, ripemd160, sha1, sha256, sha384, sha512, sha512_224, sha512_256 } = one;

export default { createHash, createHMAC, hexEncode, hmac, randomBytes, ...one };
