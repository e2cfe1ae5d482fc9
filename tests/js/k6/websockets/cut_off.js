// What a server sent is counted, also where the end of the scenario comes before the script takes it.
// console: message
// console: 1 3
import { sleep } from 'k6';
import { WebSocket } from 'k6/websockets';

export const options = { scenarios: { one: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s' } } };

export default function () {
  const socket = new WebSocket(`${__ENV.URL.replace('http', 'ws')}/ws/echo`);
  socket.onopen = () => ['a', 'b', 'c'].forEach((text) => socket.send(text));
  socket.onmessage = () => {
    console.log('message');
    sleep(30);
  };
}
export function handleSummary({ metrics }) {
  console.log(metrics.ws_sessions.values.count, metrics.ws_msgs_received.values.count);
}
