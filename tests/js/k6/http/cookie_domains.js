// A cookie may be for all hosts of its top-level domain, and an address may name itself.
// console: wide=1; top=2
// console: wide=1; top=2
// console: ip=3
import http from 'k6/http';

export const options = { hosts: { 'example.com': '127.0.0.1', '*.example.com': '127.0.0.1' } };
export default function () {
  const at = (name) => `http://${name}:${__ENV.URL.split(':')[2]}`;
  const set = (name, cookie) => http.post(`${at(name)}/raw`, `HTTP/1.1 200 OK\r\nSet-Cookie: ${cookie}; Path=/\r\nContent-Length: 0\r\n\r\n`);
  set('a.example.com', 'wide=1; Domain=example.com');
  set('example.com', 'top=2; Domain=com');
  set('example.com', 'foreign=4; Domain=other.test');
  set('127.0.0.1', 'ip=3; Domain=127.0.0.1');
  set('127.0.0.1', 'other=5; Domain=127.0.0.2');
  for (const name of ['example.com', 'b.example.com', '127.0.0.1']) console.log(http.get(`${at(name)}/cookies`).json());
}
