// Names outside ASCII are mapped and blocked by their ASCII form, however they are written.
// console: 200 xn--bcher-kva.test
// console: 200 xn--BCHER-2pa.test
// console: 0 hostname is blocked
import http from 'k6/http';

export const options = { hosts: { 'xn--bcher-kva.test': '127.0.0.1' }, blockHostnames: ['xn--80ak6aa92e.test'] };

export default function () {
  const port = __ENV.URL.split(':')[2];
  for (const name of ['b\u00fccher.test', 'B\u00dcCHER.test', '\u0430\u0440\u0440\u04cf\u0435.test']) {
    const r = http.get(`http://${name}:${port}/echo`);
    console.log(r.status, r.status === 200 ? r.json('headers.host').split(':')[0] : r.error);
  }
}
