// What a handler sends while a longer message is still on its way follows that at once.
// console: heard, before the timer: true
import { WebSocket } from 'k6/websockets';

// More than the kernel takes for a server that does not read.
const LONG = 'x'.repeat(15 << 20);

export default async function () {
  const socket = new WebSocket(`${__ENV.URL.replace('http', 'ws')}/ws/late`);
  let isLate = false;
  const timer = setTimeout(() => (isLate = true), 10000);
  const heard = await new Promise((resolve) => {
    socket.onopen = () => socket.send(LONG);
    socket.onmessage = ({ data }) => {
      if (data === 'now') socket.send('ack');
      else resolve(data);
    };
  });
  clearTimeout(timer);
  socket.close();
  console.log(`${heard}, before the timer:`, !isLate);
}
