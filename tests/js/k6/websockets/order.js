// What a script sends arrives in the order in which it was sent, whoever serves the socket meanwhile, and each message counts once.
// console: in order: true 301
// console: the rest: a
import http from 'k6/http';
import { sleep } from 'k6';
import { WebSocket } from 'k6/websockets';

const at = `${__ENV.URL.replace('http', 'ws')}/ws/echo`;
// The close frame is one, too.
export const options = { thresholds: { ws_msgs_sent: ['count == 305'], ws_msgs_received: ['count == 302'] } };

export default async function () {
  const socket = new WebSocket(at);
  await new Promise((resolve) => (socket.onopen = resolve));
  let sent = 0;
  const heard = [];
  const say = () => {
    if (sent < 301) socket.send(`${sent++}`);
  };
  await new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      heard.push(data);
      if (heard.length === 301) return resolve();
      const kind = heard.length % 6;
      say();
      // Its task has the socket from here on.
      if (kind === 1) http.get(`${__ENV.URL}/text`);
      if (kind === 2) sleep(0.001);
      if (kind < 3) say();
      if (kind === 3) setTimeout(say, 0);
    };
    say();
  });
  console.log('in order:', heard.every((text, at) => text === `${at}`), heard.length);
  const rest = [];
  socket.onmessage = ({ data }) => {
    rest.push(data);
    socket.send('b');
    sleep(0.001);
    socket.send('c');
    socket.close();
  };
  socket.send('a');
  await new Promise((resolve) => (socket.onclose = resolve));
  console.log('the rest:', ...rest);
}
