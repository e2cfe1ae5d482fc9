// Versions that can't be spoken fail the handshake, not the run.
// console: 0 1010
// log: `tlsVersion` allows only versions of TLS that can't be spoken
import http from 'k6/http';

export const options = { tlsVersion: { max: 'tls1.1' } };
export default function () {
  const r = http.get(__ENV.URL.replace('http:', 'https:'));
  console.log(r.status, r.error_code);
}
