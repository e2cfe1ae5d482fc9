// What one handler sends at once, more than is framed at a time, in texts of all kinds, bytes and pings: all of it arrives, whole and
// in order, and counts once, and nothing of what follows a close.
// console: whole and in order: true 120 buffered: true, then 0
// console: other scripts: true after the close: refused
import { WebSocket } from 'k6/websockets';

const at = `${__ENV.URL.replace('http', 'ws')}/ws/echo`;
// The close frames are two.
export const options = { thresholds: { ws_msgs_sent: ['count == 139'], ws_msgs_received: ['count == 122'] } };

const long = 'x'.repeat(3000);
const message = (n) => {
  if (n % 10 === 7) return new Uint8Array([n, 0, 255]).buffer;
  if (n % 10 === 8) return `grüße ${n}`;
  if (n % 10 === 9) return `日本 ${n} \u{1f600}`;
  return n % 3 === 0 ? `${n}:${long}` : `${n}`;
};
const shown = (data) => (typeof data === 'string' ? data : new Uint8Array(data).join());

export default async function () {
  const socket = new WebSocket(at);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve) => (socket.onopen = resolve));
  const heard = [];
  let bytes = 0;
  let buffered = 0;
  await new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      if (data === 'go') {
        for (let n = 0; n < 120; n++) {
          const one = message(n);
          bytes += typeof one === 'string' ? encoded(one) : one.byteLength;
          socket.send(one);
          if (n % 10 === 5) socket.ping();
        }
        buffered = socket.bufferedAmount;
        return;
      }
      heard.push(shown(data));
      if (heard.length === 120) resolve();
    };
    socket.send('go');
  });
  const whole = heard.every((text, n) => text === shown(message(n)));
  console.log(`whole and in order: ${whole} ${heard.length} buffered: ${buffered === bytes}, then`, socket.bufferedAmount);
  socket.close();

  // A socket of its own: texts in a row, then the close.
  const last = new WebSocket(at);
  await new Promise((resolve) => (last.onopen = resolve));
  const rest = [];
  let refused = '';
  last.onmessage = ({ data }) => {
    rest.push(data);
    if (rest.length > 1) return;
    for (const text of ['b', '\u{10ffff}', 'ÿ']) last.send(text);
    last.close();
    try {
      last.send('after');
    } catch {
      refused = 'refused';
    }
  };
  last.send('a');
  await new Promise((resolve) => (last.onclose = resolve));
  console.log(`other scripts: ${rest[0] === 'a'} after the close:`, refused);
}

// Bytes of UTF-8.
function encoded(text) {
  let count = 0;
  for (const one of text) {
    const point = one.codePointAt(0);
    count += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return count;
}
