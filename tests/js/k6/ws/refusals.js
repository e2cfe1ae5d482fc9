// What is refused, and in which words.
// args: --throw
// console: GoError: using websockets in the init context is not supported
// console: GoError: invalid number of arguments to ws.connect
// console: GoError: invalid number of arguments to ws.connect
// console: GoError: last argument to ws.connect must be a function
// console: GoError: unsupported compression algorithm 'gzip', supported algorithm is 'deflate'
// console: GoError: invalid ws.connect() metric tags: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values
// console: GoError: dial tcp 127.0.0.1:1: connect: connection refused
// console: GoError: websocket: bad handshake
// console: GoError: setTimeout requires a >0 timeout parameter, received 0.00
// console: GoError: setInterval requires a >0 timeout parameter, received -1.50
// console: GoError: expected ArrayBuffer as argument, received: Uint8Array
// console: GoError: expected ArrayBuffer as argument, received: null
// console: GoError: missing argument, expected ArrayBuffer
// console: GoError: missing argument, expected a text to send
// console: TypeError
// console: true
import ws, { connect } from 'k6/ws';

const show = (attempt) => {
  try {
    console.log(String(attempt()));
  } catch (error) {
    console.log(error.name === 'TypeError' ? error.name : String(error));
  }
};
const nothing = () => {};

if (__VU === 0) show(() => ws.connect('ws://127.0.0.1:1/', nothing));

export default function () {
  const base = __ENV.URL.replace('http', 'ws');
  show(() => ws.connect('ws://127.0.0.1:1/'));
  show(() => ws.connect('ws://127.0.0.1:1/', {}, nothing, 1));
  show(() => ws.connect('ws://127.0.0.1:1/', {}, {}));
  show(() => ws.connect('ws://127.0.0.1:1/', { compression: 'gzip' }, nothing));
  show(() => ws.connect('ws://127.0.0.1:1/', { tags: { a: {} } }, nothing));
  show(() => ws.connect('ws://127.0.0.1:1/', nothing));
  show(() => ws.connect(`${base}/status/404`, nothing));
  ws.connect(`${base}/ws/echo`, { unknown: 1 }, (socket) => {
    show(() => socket.setTimeout(nothing, 0));
    show(() => socket.setInterval(nothing, -1.5));
    show(() => socket.sendBinary(new Uint8Array(1)));
    show(() => socket.sendBinary(null));
    show(() => socket.sendBinary());
    show(() => socket.send());
    show(() => socket.setTimeout(5, 1));
    socket.close();
  });
  // What is put in the place of the function is what named imports call.
  const own = ws.connect;
  ws.connect = () => true;
  console.log(connect());
  ws.connect = own;
}
