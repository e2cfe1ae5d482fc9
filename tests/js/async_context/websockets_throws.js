// What a listener that throws has changed ends with it, too.
// args: --features async-metric-context
// console: error unchanged
// console: close unchanged
// log: Error: by a listener
import exec from 'k6/execution';
import { WebSocket } from 'k6/websockets';

export default function () {
  const { tags } = exec.vu.metrics;
  tags.at = 'unchanged';
  const socket = new WebSocket(`${__ENV.URL.replace('http', 'ws')}/ws/echo`);
  socket.onerror = () => console.log('error', tags.at);
  socket.onclose = () => console.log('close', tags.at);
  socket.onopen = () => {
    tags.at = 'changed';
    throw new Error('by a listener');
  };
}
