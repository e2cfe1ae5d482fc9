// A VU that is stopped in a handler works on afterwards: its next iteration, in another scenario, is a whole one.
// console: the handler began in VU 1
// console: a whole iteration in VU 1
import { sleep } from 'k6';
import exec from 'k6/execution';
import { WebSocket } from 'k6/websockets';

export const options = {
  scenarios: {
    first: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s', exec: 'first' },
    second: { executor: 'per-vu-iterations', vus: 1, iterations: 1, startTime: '2s', maxDuration: '20s', exec: 'second' },
  },
};

export function first() {
  const socket = new WebSocket(`${__ENV.URL.replace('http', 'ws')}/ws/echo`);
  socket.onopen = () => socket.send('x');
  socket.onmessage = () => {
    console.log('the handler began in VU', exec.vu.idInTest);
    sleep(30);
    console.log('it was not stopped');
  };
}

export async function second() {
  await Promise.resolve();
  sleep(0.1);
  await new Promise((resolve) => setTimeout(resolve, 10));
  console.log('a whole iteration in VU', exec.vu.idInTest);
}
