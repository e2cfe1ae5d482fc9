// What is refused, and in which words.
// log: can't add event handler: unknown event type: zz
// console: GoError: using websockets in the init context is not supported
// console: GoError: WebSocket requires a url
// console: GoError: WebSocket requires valid url, but got "ws://%zz" which resulted in parse "ws://%zz": invalid URL escape "%zz"
// console: GoError: WebSocket requires url with scheme ws or wss, but got "http"
// console: GoError: WebSocket requires no url fragment, but got "a"
// console: GoError: unknown WebSocket's option zz
// console: GoError: unsupported compression algorithm 'gzip', supported algorithm is 'deflate'
// console: GoError: invalid WebSocket tags option: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values
// console: GoError: unknown binaryType x, the supported ones are "blob" and "arraybuffer"
// console: GoError: a value for 'onopen' should be callable
// console: GoError: handler for event type "open" isn't a callable function
// console: undefined
// console: GoError: InvalidStateError
// console: GoError: unsupported send type int64
// console: GoError: unsupported send type float64
// console: GoError: unsupported send type map[string]interface {}
// console: GoError: unsupported send type []interface {}
// console: GoError: unsupported send type <nil>
// console: GoError: unsupported send type <nil>
// console: GoError: unsupported send type bool
// console: GoError: InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be either 1000, or between 3000 and 4999. 1001 is neither
// console: GoError: SyntaxError: Failed to execute 'close' on 'WebSocket': The message must not be greater than 123 bytes
// console: TypeError TypeError TypeError
// console: undefined undefined
import { WebSocket } from 'k6/websockets';

const show = (attempt) => {
  try {
    console.log(String(attempt()));
  } catch (error) {
    console.log(String(error));
  }
};

if (__VU === 0) show(() => new WebSocket('ws://127.0.0.1:1/'));

export default function () {
  const url = `${__ENV.URL.replace('http', 'ws')}/ws/echo`;
  show(() => new WebSocket());
  show(() => new WebSocket('ws://%zz'));
  show(() => new WebSocket('http://a/'));
  show(() => new WebSocket('ws://a/#a'));
  show(() => new WebSocket(url, null, { zz: 1 }));
  show(() => new WebSocket(url, null, { compression: 'gzip' }));
  show(() => new WebSocket(url, null, { tags: { a: {} } }));
  const socket = new WebSocket(url, undefined, { compression: '', headers: null });
  show(() => (socket.binaryType = 'x'));
  show(() => (socket.onopen = 5));
  show(() => socket.addEventListener('open'));
  show(() => socket.addEventListener('zz', () => {}));
  show(() => socket.ping());
  socket.onopen = () => {
    for (const value of [5, 1.5, {}, [], null, undefined, true]) show(() => socket.send(value));
    show(() => socket.close(1001));
    show(() => socket.close(1000, 'ž'.repeat(62)));
    const names = ['url', 'readyState', 'send'].map((name) => {
      try {
        socket[name] = 1;
        return 'assigned';
      } catch (error) {
        return error.name;
      }
    });
    console.log(...names);
    console.log(socket.removeEventListener, socket.dispatchEvent);
    socket.close(3000, 'ž'.repeat(61));
  };
}
