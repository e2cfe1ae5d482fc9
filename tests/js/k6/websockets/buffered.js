// An answer comes when what was asked is written: no handler sees bytes that wait any more.
// console: 0 10 0
// console: 0 of 200 handlers saw bytes that wait
import { WebSocket } from 'k6/websockets';

const MESSAGES = 200;

export default async function () {
  const socket = new WebSocket(`${__ENV.URL.replace('http', 'ws')}/ws/echo`);
  await new Promise((done) => (socket.onopen = done));
  const before = socket.bufferedAmount;
  socket.send('0123456789');
  const sent = socket.bufferedAmount;
  await new Promise((done) => (socket.onmessage = done));
  console.log(before, sent, socket.bufferedAmount);
  let left = MESSAGES;
  let behind = 0;
  await new Promise((done) => {
    socket.onmessage = () => {
      if (socket.bufferedAmount !== 0) behind++;
      if (--left === 0) return done();
      socket.send('x'.repeat(1 + (left % 7) * 1000));
    };
    socket.send('x');
  });
  console.log(behind, 'of', MESSAGES, 'handlers saw bytes that wait');
  socket.close();
}
