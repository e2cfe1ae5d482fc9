// What travels in the handshake, and what comes back.
// console: Cookie,own=1 X-Custom,5 Sec-WebSocket-Protocol,a, b User-Agent,me Sec-WebSocket-Version,13
// console: volley/... (k6/2.3.0 compatible) in=jar undefined
// console: in=jar; from=socket undefined
// console: other=jar permessage-deflate; server_no_context_takeover; client_no_context_takeover
// console: own=by hand
// console: a [] 0
import { WebSocket } from 'k6/websockets';
import http from 'k6/http';

const base = __ENV.URL.replace('http', 'ws');
const names = ['Cookie', 'X-Custom', 'Sec-WebSocket-Protocol', 'User-Agent', 'Sec-WebSocket-Version'];

const request = (protocols, params, path = 'request') =>
  new Promise((done) => {
    const socket = new WebSocket(`${base}/ws/${path}`, protocols, params);
    let headers;
    socket.onopen = () => path === 'request' || socket.close();
    socket.onmessage = ({ data }) => {
      headers = JSON.parse(data);
      socket.close();
    };
    socket.onclose = () => done(headers ?? socket);
  });

export default async function () {
  const first = await request(['a', 'b'], { headers: { 'x-custom': 5, 'user-agent': 'me', Cookie: 'own=1' } });
  console.log(names.map((name) => `${name},${first[name]}`).join(' '));
  http.cookieJar().set(__ENV.URL, 'in', 'jar');
  const second = await request();
  console.log(second['User-Agent'], second.Cookie, second['Sec-WebSocket-Extensions']);
  await request(null, null, 'cookie');
  const third = await request(null, { compression: '' });
  console.log(third.Cookie, third['Sec-WebSocket-Extensions']);
  const jar = new http.CookieJar();
  jar.set(__ENV.URL, 'other', 'jar');
  const fourth = await request('', { jar, compression: 'deflate' });
  console.log(fourth.Cookie, fourth['Sec-WebSocket-Extensions']);
  console.log((await request([], { headers: { cookie: 'own=by hand' } })).Cookie);
  const socket = await request('a', undefined, 'echo');
  console.log(socket.protocol, `[${socket.extensions}]`, socket.bufferedAmount);
}
