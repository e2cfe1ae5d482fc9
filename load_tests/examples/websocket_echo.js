// A conversation over one connection: what is sent comes back. Handlers do the work, the iteration ends with the close.
import { WebSocket } from 'k6/websockets';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const MESSAGES = 5;
const roundTrip = new Trend('ws_round_trip', true);

export const options = { vus: 2, iterations: 4, thresholds: { ws_round_trip: ['p(95)<1000'] } };

export default function () {
  const socket = new WebSocket(`${BASE_URL.replace('http', 'ws')}/ws/echo`, 'echo');
  let count = 0;
  let sent = 0;
  const say = () => {
    sent = Date.now();
    socket.send(`message ${count}`);
  };
  socket.onopen = say;
  socket.onmessage = ({ data }) => {
    roundTrip.add(Date.now() - sent);
    check(data, { 'came back': (text) => text === `message ${count}` });
    if (++count < MESSAGES) say();
    else socket.close();
  };
  socket.onerror = ({ error }) => console.error(error);
  socket.onclose = ({ code }) => check(code, { 'closed well': (value) => value === 1000 });
}
