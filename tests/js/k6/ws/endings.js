// How blocking connections end: errors, codes, exceptions, and what the server heard.
// no log: WebSocket connection failed
// console: cut: soon | error websocket: close 1006 (abnormal closure): unexpected EOF 1006 unexpected EOF | close 1006 -> 101
// console: code: error websocket: close 4001: bye 4001 bye | close 4001 -> 101
// console: fine: close 1000 -> 101
// console: broken frame: close 1001 -> 101
// console: in setup: close 1001 -> Error: mine
// console: in a timer: close 1001 -> Error: timer
// console: in close: close 1001 -> Error: closing
// console: away 1001
// console: own 4321
// console: refused 0 dial tcp 127.0.0.1:1: connect: connection refused [] {}
// console: 404 [status 404] [] []
// console: 0 malformed ws or wss URL
// console: 0 parse "ws://%zz": invalid URL escape "%zz"
import ws from 'k6/ws';
import http from 'k6/http';

const base = __ENV.URL.replace('http', 'ws');

function until(name, path, also = () => {}) {
  const said = [];
  let result;
  try {
    result = ws.connect(`${base}/ws/${path}`, (socket) => {
      socket.on('message', (text) => said.push(text));
      socket.on('error', (error) => said.push(`error ${error.error()} ${error.code} ${error.text}`));
      socket.on('close', (code) => said.push(`close ${code}`));
      also(socket);
    }).status;
  } catch (error) {
    result = String(error);
  }
  console.log(`${name}: ${said.join(' | ')} -> ${result}`);
}

export default function () {
  const fail = (text) => () => {
    throw new Error(text);
  };
  until('cut', 'cut');
  until('code', 'close/4001/bye');
  until('fine', 'close/1000');
  until('broken frame', 'raw/8300');
  until('in setup', 'echo', fail('mine'));
  until('in a timer', 'echo', (socket) => socket.setTimeout(fail('timer'), 1));
  until('in close', 'echo', (socket) => {
    socket.on('open', () => socket.close());
    socket.on('close', fail('closing'));
  });
  for (const [key, ...code] of [['away'], ['own', 4321]]) {
    const name = `${key}-${__ENV.URL.split(':')[2]}-${Math.random()}`;
    ws.connect(`${base}/ws/tell/${name}`, (socket) => socket.on('open', () => socket.close(...code)));
    console.log(key, http.get(`${__ENV.URL}/told/${name}`).body.trim());
  }
  const never = () => console.error('must not be called');
  const refused = ws.connect('ws://127.0.0.1:1/', never);
  console.log('refused', refused.status, refused.error, `[${refused.url}]`, JSON.stringify(refused.headers));
  const rejected = ws.connect(`${base}/status/404`, never);
  console.log(rejected.status, `[${rejected.body}]`, `[${rejected.url}]`, `[${rejected.error}]`);
  for (const url of ['http://a/', 'ws://%zz']) {
    const { status, error } = ws.connect(url, never);
    console.log(status, error);
  }
}
