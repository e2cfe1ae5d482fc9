// Certificates with keys of other kinds, and what is no certificate.
// console: ECDSA ECDSA-SHA256 P-256 01342 b5c4a ec.example CZ  One
// console: ["ec.example","10.0.0.1"] ec.example 0
// console: DSA 328169 755249 503771 542726
// console: unsupported public key algorithm
// console: failed to decode certificate PEM file
// console: failed to parse certificate: x509: malformed certificate
// console: invalid type int64, expected string, []byte or ArrayBuffer
import x509, { parse } from 'k6/crypto/x509';

const ec = `-----BEGIN CERTIFICATE-----
MIIB1DCCAXqgAwIBAgIUK2VSBzN2ZJrIwIO6EKs/TY1rLzYwCgYIKoZIzj0EAwIw
MDELMAkGA1UEBhMCQ1oxDDAKBgNVBAoMA09uZTETMBEGA1UEAwwKZWMuZXhhbXBs
ZTAgFw0yNjExMjQyMzM5NTdaGA8yMDUxMDcxNjIzMzk1N1owMDELMAkGA1UEBhMC
Q1oxDDAKBgNVBAoMA09uZTETMBEGA1UEAwwKZWMuZXhhbXBsZTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABAE0Jb3mmNloDa0iFQuSxF3lLuZ0w+QF0H3iZxJbo9qs
x+mJM4HmGkBSLueZyrcDajsr3RdAI5A2bN3PvTdbXEqjcDBuMB0GA1UdDgQWBBQl
Clca30HWQMYG8HH0QEOXZ5HQkzAfBgNVHSMEGDAWgBQlClca30HWQMYG8HH0QEOX
Z5HQkzAPBgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKHBAoAAAGCCmVjLmV4YW1w
bGUwCgYIKoZIzj0EAwIDSAAwRQIgHSWVQXA22em+BzCwLbXEFt17QOPVGXfLB9z2
k9NbdT4CIQC4QPDpaZnj215ytD1WUxAii9ne7WWEaQfhIwQU8fHkhA==
-----END CERTIFICATE-----`;
const ed = `-----BEGIN CERTIFICATE-----
MIIBQDCB86ADAgECAhRAMfeddwG5dUtzK4FE3pNph1T/7jAFBgMrZXAwFTETMBEG
A1UEAwwKZWQuZXhhbXBsZTAgFw0yNjExMjQyMzM5NTdaGA8yMDUxMDcxNjIzMzk1
N1owFTETMBEGA1UEAwwKZWQuZXhhbXBsZTAqMAUGAytlcAMhAEcqNwPWTIL0ykHk
JTnr6aebYW1RBieqogGyXTm58t8To1MwUTAdBgNVHQ4EFgQUiO7EIngyHKdQdZUw
obFeZ0Xsg8QwHwYDVR0jBBgwFoAUiO7EIngyHKdQdZUwobFeZ0Xsg8QwDwYDVR0T
AQH/BAUwAwEB/zAFBgMrZXADQQDt5rRX+Px4FnbIuAfQ40Qy1gXHDuinDIckt7RE
zXA9eLhWfWXDwOaX9JgcQOBs4UjLealtYKkGV1gov+otJmQJ
-----END CERTIFICATE-----`;
const dsa = `-----BEGIN CERTIFICATE-----
MIIC4zCCApGgAwIBAgIUGPcrVkIAWavBKfXhomrMRSfGvE0wCwYJYIZIAWUDBAMC
MBYxFDASBgNVBAMMC2RzYS5leGFtcGxlMCAXDTI2MTEyNDIzMzk1N1oYDzIwNTEw
NzE2MjMzOTU3WjAWMRQwEgYDVQQDDAtkc2EuZXhhbXBsZTCCAb4wggEzBgcqhkjO
OAQBMIIBJgKBgQCjL0fMoUhz9zN3jRU9+PHX9ui4sEcW62r06AxEGaQRqrAMS9hB
ldKT/HXfXaUxOFXSkQo8lsp04jtULKALw2SW2Fy7DbWR1qQs8E7mIOlxuhJOqRQ5
QqhWMjB2vX5cf/kp+QzrezwVf79049LzPkMWQbmkgE73TqcoFio8HIJkQQIdAKI9
QuRNKbU7C4LOfL2+9e0JHmjE/7EGEOi4OrsCgYAEE6v8MhSF48KHeb0mzFLojIBN
pNoN2dvq2zi8RCOsOZ8XlfLqSa9jLcVVV1wjKElMYfFH2r10sT1sQSSvUQwRDzRP
SNEWuYgq8JKHmIYW77yrWnhiOofe2ggG8xh6KmgTCBaRI3KJJmldVTmMHfE6VVpA
fhKtiHiUOFTDYTWAnAOBhAACgYAd5I8tb1va55826aMezdXVWjdXMUCVybDTFX1M
3pHHjhU4aGHADeRzeAfdhtb6VGlGzzS0xRI9xAoET+WTPnskMfHmi2Qjq21NuYHW
hmvwtxkfjakmQz1HDl9vxmLI4Va3lAHaemrZi9wIjsrAtXXxT9OPhIKDh7u95cNM
Ac5VsaNTMFEwHQYDVR0OBBYEFNurzzORdoPMwZ14YAzJJA8DfZPyMB8GA1UdIwQY
MBaAFNurzzORdoPMwZ14YAzJJA8DfZPyMA8GA1UdEwEB/wQFMAMBAf8wCwYJYIZI
AWUDBAMCAz8AMDwCHHS0mYD2Spuk38ekB47tiVqdPckHsGoMziu7/bMCHBqBFxgT
S0oxIOogz9AsNIe9tOoHOqxKTvfQQkg=
-----END CERTIFICATE-----`;
const message = (call) => {
  try { return call(); } catch (error) { return error.message; }
};

export default function () {
  const { publicKey, signatureAlgorithm, subject } = parse(ec);
  const hex = (number) => number.toString(16).padStart(64, '0');
  console.log(publicKey.algorithm, signatureAlgorithm, publicKey.key.curve.name, hex(publicKey.key.x).slice(0, 5),
    hex(publicKey.key.y).slice(-5), subject.commonName, subject.country, subject.localityName, subject.organizationName);
  console.log(JSON.stringify(x509.getAltNames(ec)), x509.getIssuer(ec).commonName, x509.getSubject(new TextEncoder().encode(ec)).organizationalUnitName.length);
  const { key, algorithm } = parse(dsa).publicKey;
  const short = (number) => Number(number % 1000003n);
  console.log(algorithm, short(key.parameters.g), short(key.y), short(key.parameters.p), short(key.parameters.q));
  console.log(message(() => parse(ed)));
  console.log(message(() => parse('nothing')));
  console.log(message(() => parse('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')));
  console.log(message(() => parse(5)));
}
