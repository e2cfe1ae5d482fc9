// 200 echoes of 100 bytes over one socket per iteration. Counted per message sent.
import { WebSocket } from 'k6/websockets';

const URL = __ENV.URL || 'ws://127.0.0.1:8080/ws/echo';
const TEXT = 'x'.repeat(100);
const MESSAGES = 200;

export default function () {
  const socket = new WebSocket(URL);
  let echoes = 0;
  socket.onopen = () => socket.send(TEXT);
  socket.onmessage = ({ data }) => {
    if (data.length !== TEXT.length) throw new Error(`an echo of ${data.length} characters`);
    if (++echoes < MESSAGES) socket.send(TEXT);
    else socket.close();
  };
  socket.onerror = ({ error }) => {
    throw new Error(error);
  };
}
