// k6/crypto/x509: what is written in a certificate.
import { parse as read } from 'native:k6/crypto/x509';
import { bytes } from 'volley/bytes';

export function parse(pem) {
  const certificate = read(bytes(pem));
  const { key } = certificate.publicKey;
  // Numbers beyond 2^53 come as texts; the class of big ones is JavaScript's.
  for (const name of Object.keys(key)) if (typeof key[name] === 'string' && key[name].startsWith('0x')) key[name] = BigInt(key[name]);
  if (key.parameters) for (const name of ['p', 'q', 'g']) key.parameters[name] = BigInt(key.parameters[name]);
  return certificate;
}
export const getAltNames = (pem) => read(bytes(pem), 'altNames');
export const getIssuer = (pem) => read(bytes(pem), 'issuer');
export const getSubject = (pem) => read(bytes(pem), 'subject');

export default { parse, getAltNames, getIssuer, getSubject };
