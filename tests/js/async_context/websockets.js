// Listeners of k6/websockets run under the context they were registered in, each under its own.
// args: --features async-metric-context
// console: on open on
// console: listener open added
// console: on message a on
// console: changed by a listener
// console: listener message a added
// console: on message b on
// console: changed by a listener
// console: listener message b added
// console: on close 1000 on
// console: base main
import exec from 'k6/execution';
import { WebSocket } from 'k6/websockets';

export default async function () {
  const { tags } = exec.vu.metrics;
  const socket = new WebSocket(`${__ENV.URL.replace('http', 'ws')}/ws/echo`);
  tags.at = 'on';
  socket.onopen = () => {
    console.log('on open', tags.at);
    tags.at = 'lost';
    socket.send('a');
  };
  socket.onmessage = ({ data }) => {
    console.log('on message', data, tags.at);
    tags.at = 'changed by a listener';
    Promise.resolve().then(() => console.log(tags.at));
    if (data === 'a') socket.send('b');
    else socket.close(1000);
  };
  tags.at = 'added';
  socket.addEventListener('open', () => console.log('listener open', tags.at));
  socket.addEventListener('message', ({ data }) => setTimeout(() => console.log('listener message', data, tags.at), 0));
  tags.at = 'on';
  await new Promise((resolve) => {
    socket.onclose = ({ code }) => {
      console.log('on close', code, tags.at);
      resolve();
    };
    tags.at = 'main';
  });
  console.log('base', tags.at);
}
