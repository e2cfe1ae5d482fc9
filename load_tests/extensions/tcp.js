// Sockets, plain and encrypted, that write and wait for the echo.
import { check } from 'k6';
import { Socket } from 'k6/x/tcp';
import { pause } from './lib/plan.js';

export { begin, options, rest } from './lib/plan.js';

export default async function () {
  const socket = new Socket();
  let heard = 0;
  const all = new Promise((resolve) => {
    socket.on('data', (data) => {
      heard += data.length;
      if (heard === 1000) resolve();
    });
  });
  const isEncrypted = __ITER % 4 === 0;
  await socket.connect({ port: Number(isEncrypted ? __ENV.ECHO_TLS : __ENV.ECHO), host: '127.0.0.1', tls: isEncrypted });
  await socket.write('x'.repeat(1000));
  await all;
  check(heard, { 'all came back': (count) => count === 1000 });
  socket.destroy();
  pause();
}
