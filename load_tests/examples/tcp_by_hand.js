// A protocol nobody has a module for: bytes over a socket. Here HTTP is spoken by hand.
import { Socket } from 'k6/x/tcp';
import { check } from 'k6';

const [, host, port] = (__ENV.BASE_URL || 'http://127.0.0.1:8080').match(/^http:\/\/([^:/]+):(\d+)/);

export const options = { vus: 2, iterations: 6, thresholds: { tcp_socket_connecting: ['p(95)<1000'], checks: ['rate==1'] } };

export default async function () {
  const socket = new Socket({ tags: { protocol: 'by hand' } });
  let heard = '';
  socket.on('data', (data) => {
    heard += String.fromCharCode(...data);
  });
  // Nobody waits for ever: silence ends it.
  socket.on('timeout', () => socket.destroy());
  socket.setTimeout(5000);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await socket.connect({ host, port: Number(port) });
  await socket.write(`GET /plain HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  await closed;
  check(heard, { 'an answer came': (text) => text.startsWith('HTTP/1.1 200') });
}
