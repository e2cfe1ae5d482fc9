// A proxy that is not there is not the target that is not there.
// env: HTTP_PROXY=socks5://ann:secret@127.0.0.1:1
// env: HTTPS_PROXY=socks5://ann:secret@127.0.0.1:1
// console: 1200 proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused
// console: 1200 proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused
import http from 'k6/http';

export default function () {
  for (const scheme of ['http', 'https']) {
    const r = http.get(`${scheme}://some.host.test/`);
    console.log(r.error_code, r.error);
  }
}
