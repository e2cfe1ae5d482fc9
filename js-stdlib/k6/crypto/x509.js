// k6/crypto/x509: what is written in a certificate.
import { parse as read } from 'native:k6/crypto/x509';
import { bytes } from 'volley/bytes';
import { call, primordials } from 'native:engine';

const { BigInt, ObjectKeys, StringPrototypeIndexOf } = primordials;

export function parse(pem) {
  const certificate = read(bytes(pem));
  const { key } = certificate.publicKey;
  // Numbers beyond 2^53 come as texts; the class of big ones is JavaScript's.
  const names = ObjectKeys(key);
  for (let at = 0; at < names.length; at++) {
    const value = key[names[at]];
    if (typeof value === 'string' && call(StringPrototypeIndexOf, value, '0x') === 0) key[names[at]] = BigInt(value);
  }
  if (key.parameters) {
    const { p, q, g } = key.parameters;
    key.parameters = { p: BigInt(p), q: BigInt(q), g: BigInt(g) };
  }
  return certificate;
}
export const getAltNames = (pem) => read(bytes(pem), 'altNames');
export const getIssuer = (pem) => read(bytes(pem), 'issuer');
export const getSubject = (pem) => read(bytes(pem), 'subject');

export default { parse, getAltNames, getIssuer, getSubject };
