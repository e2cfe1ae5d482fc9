// An exception of a handler ends the iteration, after the socket heard of it; the next iteration is not affected.
// args: --iterations 5
// console: 0 error Error: mine at ...throwing.js:... | close undefined 3
// console: 1 error Error: opened at ...throwing.js:... | close undefined 3
// console: 2 closed
// console: 3 error failed
// console: 4 fine 1000
// log: Error: mine
// log: Error: opened
// log: Error: at the end
// log: Error: of errors
// no log: Uncaught (in promise)
// no log: must not
import { WebSocket } from 'k6/websockets';

const base = __ENV.URL.replace('http', 'ws');

export default function () {
  const name = __ITER;
  const socket = new WebSocket(name === 3 ? 'ws://127.0.0.1:1/' : `${base}/ws/${name === 2 ? 'close/1000' : 'say/hi'}`);
  const said = [];
  socket.onerror = ({ error }) => said.push(`error ${error}`);
  socket.onclose = ({ code }) => console.log(name, [...said, `close ${code} ${socket.readyState}`].join(' | '));
  if (name === 0) {
    socket.onmessage = () => {
      throw new Error('mine');
    };
    socket.addEventListener('message', () => console.error('must not be called'));
  }
  if (name === 1) {
    socket.onopen = () => {
      throw new Error('opened');
    };
    socket.onmessage = () => console.error('must not come');
  }
  if (name === 2) {
    socket.onclose = () => {
      console.log(name, 'closed');
      throw new Error('at the end');
    };
  }
  if (name === 3) {
    socket.onerror = () => {
      console.log(name, 'error failed');
      throw new Error('of errors');
    };
    socket.onclose = () => console.error('must not close');
  }
  if (name === 4) {
    socket.onmessage = () => socket.close();
    socket.onclose = ({ code }) => console.log(name, 'fine', code);
  }
}
