// A blocking conversation: setup, events, timers, and what connect() gives back.
// console: setup
// console: open
// console: got text 5
// console: got text [object Object]
// console: got 3 bytes 1,2,250
// console: ping is answered with a pong
// console: tick 1
// console: tick 2
// console: close 1001
// console: after close()
// console: error websocket: close sent
// console: 101 ws://.../ws/echo [] [] websocket a, b undefined
// console: ping
// console: pong who?
import ws from 'k6/ws';

const base = __ENV.URL.replace('http', 'ws');

export default function () {
  let ticks = 0;
  const response = ws.connect(`${base}/ws/echo`, { headers: { 'X-A': 1 } }, (socket) => {
    console.log('setup');
    socket.on('open', () => {
      console.log('open');
      socket.send(5);
      socket.send({});
      socket.sendBinary(new Uint8Array([1, 2, 250]).buffer);
      socket.ping();
    });
    socket.on('message', (text) => console.log('got text', text));
    socket.on('binaryMessage', (buffer) => console.log('got', buffer.byteLength, 'bytes', [...new Uint8Array(buffer)].join()));
    socket.on('pong', () => {
      console.log('ping is answered with a pong');
      socket.setInterval(() => {
        console.log('tick', ++ticks);
        if (ticks < 2) return;
        socket.close();
        console.log('after close()');
        socket.close(1000);
        socket.on('error', (error) => console.log('error', error.error()));
        socket.send('too late');
      }, 5);
    });
    socket.on('close', (code) => console.log('close', code));
    socket.setTimeout(() => console.error('never'), 60000);
  });
  console.log(response.status, response.url, `[${response.body}]`, `[${response.error}]`, response.headers.Upgrade, response.headers['X-Twice'], response.headers['x-twice']);
  ws.connect(`${base}/ws/ping`, (socket) => {
    const { on, setTimeout, close } = socket;
    on('ping', () => console.log('ping'));
    on('message', (text) => {
      console.log(text);
      setTimeout(close, 1);
    });
  });
}
