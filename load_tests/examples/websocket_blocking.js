// The older way to speak WebSocket: `connect` keeps the VU until the connection is closed.
import ws from 'k6/ws';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export default function () {
  const answers = [];
  const response = ws.connect(`${BASE_URL.replace('http', 'ws')}/ws/echo`, null, (socket) => {
    socket.on('open', () => socket.setInterval(() => socket.send(`tick ${answers.length}`), 20));
    socket.on('message', (text) => {
      answers.push(text);
      if (answers.length === 3) socket.close();
    });
    socket.on('error', (error) => console.error(error.error()));
    socket.setTimeout(() => socket.close(), 5000);
  });
  check(response, { 'switched protocols': (r) => r && r.status === 101 });
  check(answers, { 'three answers': (list) => list.length === 3 && list[0] === 'tick 0' });
}
