// No body has a length of 0, an empty text or form is sent as an empty chunk, as k6 does; either way the connection is
// kept and the next answer is to the next request.
// console: null: 0 undefined
// console: text: undefined chunked
// console: form: undefined chunked
// console: next: 5
import { sleep } from 'k6';
import http from 'k6/http';

export default function () {
  const show = (name, body) => {
    const { headers } = http.post(`${__ENV.URL}/echo`, body).json();
    console.log(`${name}: ${headers['content-length']} ${headers['transfer-encoding']}`);
    sleep(0.05);
  };
  show('null', null);
  show('text', '');
  show('form', {});
  http.patch(`${__ENV.URL}/echo`, '');
  sleep(0.05);
  console.log(`next: ${http.get(`${__ENV.URL}/nth`).body}`);
}
