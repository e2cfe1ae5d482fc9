// States, handlers and what events carry, in the order things happen.
// console: 0 ws://.../ws/echo blob [object Object] 0
// console: returned
// console: on open 1 a 0
// console: open listener
// console: buffered 7 [object Function]
// console: message string ž-text true true
// console: message object 3
// console: ping refused? no
// console: pong
// console: closing 2
// console: close 3 4000 own words 1.0.0
// console: after that InvalidStateError
import { WebSocket } from 'k6/websockets';

const url = `${__ENV.URL.replace('http', 'ws')}/ws/echo`;

export default function () {
  const socket = new WebSocket(url, ['a', 'b']);
  console.log(socket.readyState, socket.url, socket.binaryType, String(socket), socket.bufferedAmount);
  let count = 0;
  socket.onopen = function (event) {
    console.log('on', event.type, socket.readyState, socket.protocol, socket.extensions.length);
  };
  socket.addEventListener('open', () => {
    console.log('open listener');
    socket.send('ž-text');
    console.log('buffered', socket.bufferedAmount, socket.onopen);
    socket.binaryType = 'arraybuffer';
    socket.send(new Uint16Array([1, 2, 3, 4]).subarray(0, 1));
  });
  socket.onmessage = ({ data, origin, target, timestamp }) => {
    if (typeof data === 'string') {
      console.log('message', typeof data, data, origin === url && target === socket, timestamp > 1.7e12);
      return;
    }
    if (count++ === 0) {
      socket.send(new DataView(new Uint8Array([0, 7, 8, 9, 0]).buffer, 1, 3));
      return;
    }
    console.log('message', typeof data, data.byteLength);
    socket.ping();
    console.log('ping refused? no');
  };
  socket.onpong = ({ type }) => {
    console.log(type);
    socket.close(4000, 'own words');
    socket.close(4001, 'not heard');
    console.log('closing', socket.readyState);
  };
  socket.onclose = ({ code, reason, wasClean }) => {
    console.log('close', socket.readyState, code, reason, [wasClean === undefined ? 1 : 2, socket.bufferedAmount, 0].join('.'));
    try {
      socket.send('x');
    } catch (error) {
      console.log('after that', error.message);
    }
  };
  console.log('returned');
}
