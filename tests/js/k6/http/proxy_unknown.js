// Nor is a proxy whose name nobody knows.
// env: HTTP_PROXY=http://no.such.proxy.invalid:3128
// console: 1200 proxyconnect tcp: ...
import http from 'k6/http';

export default function () {
  const r = http.get('http://some.host.test/');
  console.log(r.error_code, r.error);
}
