// A socket that is closed before it is open gives its handshake up: the server sees the connection go, and the iteration ends.
// What close() is given is checked in every state.
// console: connecting: none 2
// console: held: close 1000 [] 3
// console: came 0
// console: again: none 2
// console: with a code: close 4001 [] 3
// console: gone
// console: codes while connecting: InvalidAccessError InvalidAccessError SyntaxError 0
// console: codes while closing: InvalidAccessError InvalidAccessError SyntaxError none
// console: codes once closed: InvalidAccessError InvalidAccessError SyntaxError none
// console: nobody there: close 1000 [] 3
// console: in a timer: close 1000 [] 3
import { WebSocket } from 'k6/websockets';
import http from 'k6/http';

const base = __ENV.URL.replace('http', 'ws');
let held = 0;
const key = () => `${String(Math.random()).slice(2)}-${++held}`;
const fault = (attempt) => {
  try {
    attempt();
    return 'none';
  } catch (error) {
    return error.message.split(':')[0];
  }
};
const faults = (socket) => [1001, 5000].map((code) => fault(() => socket.close(code))).concat(fault(() => socket.close(1000, 'x'.repeat(124))));

function closed(name, socket) {
  return new Promise((done) => {
    const said = [];
    socket.onopen = () => said.push('open');
    socket.onerror = ({ error }) => said.push(`error ${error}`);
    socket.onclose = ({ code, reason }) => {
      said.push(`close ${code} [${reason}]`);
      console.log(`${name}: ${said.join(' | ')} ${socket.readyState}`);
      done();
    };
  });
}

// What the server has seen of a handshake: it came, and its connection is gone.
const told = (name) => http.get(`${__ENV.URL}/told/${name}`).body.trim();

export default async function () {
  let socket = new WebSocket(`${base}/ws/hold/${key()}`);
  console.log(`connecting: ${fault(() => socket.close())} ${socket.readyState}`);
  await closed('held', socket);

  const name = key();
  socket = new WebSocket(`${base}/ws/hold/${name}`);
  console.log(told(`${name}-came`), socket.readyState);
  socket.close(4001, 'nobody hears it');
  console.log(`again: ${fault(() => socket.close(3000))} ${socket.readyState}`);
  await closed('with a code', socket);
  console.log(told(name));

  socket = new WebSocket(`${base}/ws/hold/${key()}`);
  console.log('codes while connecting:', ...faults(socket), socket.readyState);
  socket.close();
  console.log('codes while closing:', ...faults(socket), fault(() => socket.close(3000)));
  await new Promise((done) => (socket.onclose = done));
  console.log('codes once closed:', ...faults(socket), fault(() => socket.close(3000)));

  socket = new WebSocket('ws://127.0.0.1:1/');
  socket.close();
  await closed('nobody there', socket);

  socket = new WebSocket(`${base}/ws/hold/${key()}`);
  setTimeout(() => socket.close(), 20);
  await closed('in a timer', socket);
}
