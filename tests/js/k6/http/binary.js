// `responseType` says what a body is; without bodies there is null.
// console: 300 43 true
// console: string null
import http from 'k6/http';

export default function () {
  const bytes = new Uint8Array(http.get(`${__ENV.URL}/bytes/300`, { responseType: 'binary' }).body);
  console.log(bytes.length, bytes[299], bytes[256] === 0);
  const none = http.get(`${__ENV.URL}/bytes/300`, { responseType: 'none' });
  console.log(typeof http.get(`${__ENV.URL}/text`).body, none.body);
}
