// How connections end that don't end well.
// console: refused: error dial tcp 127.0.0.1:1: connect: connection refused | close undefined []
// console: not found: error websocket: bad handshake | close undefined []
// console: cut: message soon | error websocket: close 1006 (abnormal closure): unexpected EOF | close 1006 [unexpected EOF]
// console: server's: error websocket: close 4001: so-there | close 4001 [so-there]
// console: fine: close 1001 []
// console: nothing said: error websocket: close 1005 (no status) | close 1005 []
// console: broken frame: close undefined []
// console: own code: error websocket: close 3001: mine | close 3001 [mine]
// console: before it is open: close 1000 []
// console: refused before it is open: close 1000 []
// console: credentials: error malformed ws or wss URL | close undefined []
// console: header: error websocket: duplicate header not allowed: Upgrade | close undefined []
// console: name: error ...lookup nowhere.invalid...no such host | close undefined []
import { WebSocket } from 'k6/websockets';

const base = __ENV.URL.replace('http', 'ws');

function until(name, url, also = () => {}, params = undefined) {
  return new Promise((done) => {
    const said = [];
    const socket = new WebSocket(url, null, params);
    socket.onmessage = ({ data }) => said.push(`message ${data}`);
    socket.onerror = ({ error }) => said.push(`error ${error}`);
    socket.onclose = ({ code, reason }) => {
      said.push(`close ${code} [${reason}]`);
      console.log(`${name}: ${said.join(' | ')}`);
      done();
    };
    also(socket);
  });
}

export default async function () {
  await until('refused', 'ws://127.0.0.1:1/');
  await until('not found', `${base}/status/404`);
  await until('cut', `${base}/ws/cut`);
  await until("server's", `${base}/ws/close/4001/so-there`);
  await until('fine', `${base}/ws/close/1001`);
  await until('nothing said', `${base}/ws/raw/8800`);
  await until('broken frame', `${base}/ws/raw/8300`);
  await until('own code', `${base}/ws/echo`, (socket) => (socket.onopen = () => socket.close(3001, 'mine')));
  await until('before it is open', `${base}/ws/echo`, (socket) => {
    socket.onopen = () => console.log('must not open');
    socket.close();
  });
  await until('refused before it is open', 'ws://127.0.0.1:1/', (socket) => socket.close());
  await until('credentials', base.replace('//', '//user:password@'));
  await until('header', `${base}/ws/echo`, undefined, { headers: { upgrade: 'x' } });
  await until('name', 'ws://nowhere.invalid/');
}
