// A socket is served whatever its VU does: while it sleeps in a handler, in a timer or in a promise job, and beside other sockets.
// console: sent before the sleep of its handler: true
// console: sent by a timer before that sleeps: true
// console: sent by a promise job before that sleeps: true
// console: another socket's message before the sleep: true
// console: five at once: 0:40 1:40 2:40 3:40 4:40
// console: closed before the sleep: true 1000
// console: left open, nobody waits for it: done
import { sleep } from 'k6';
import { WebSocket } from 'k6/websockets';

const at = `${__ENV.URL.replace('http', 'ws')}/ws/echo`;
export const options = { iterations: 1, vus: 1 };

function opened() {
  const socket = new WebSocket(at);
  return new Promise((resolve) => (socket.onopen = () => resolve(socket)));
}
const message = (socket) => new Promise((resolve) => (socket.onmessage = resolve));
// When it is over.
function slept() {
  sleep(1);
  return Date.now();
}
const talk = (name) =>
  new Promise((resolve) => {
    const socket = new WebSocket(at);
    let heard = 0;
    socket.onopen = () => socket.send(name);
    socket.onmessage = ({ data }) => {
      if (data !== name) throw new Error(`${data} for ${name}`);
      if (++heard < 40) return socket.send(name);
      socket.close();
      resolve(`${name}:${heard}`);
    };
  });

export default async function () {
  const socket = await opened();
  const next = new Promise((resolve) => {
    let end;
    socket.onmessage = ({ data, timestamp }) => {
      if (data === 'second') return resolve(timestamp < end);
      socket.send('second');
      end = slept();
    };
  });
  socket.send('first');
  console.log('sent before the sleep of its handler:', await next);

  let end;
  let heard = message(socket);
  setTimeout(() => {
    socket.send('third');
    end = slept();
  }, 20);
  console.log('sent by a timer before that sleeps:', (await heard).timestamp < end);

  heard = message(socket);
  await Promise.resolve();
  socket.send('fourth');
  end = slept();
  console.log('sent by a promise job before that sleeps:', (await heard).timestamp < end);

  const other = await opened();
  heard = message(other);
  const first = message(socket);
  socket.send('a');
  await first;
  other.send('b');
  end = slept();
  console.log("another socket's message before the sleep:", (await heard).timestamp < end);

  console.log('five at once:', (await Promise.all(['0', '1', '2', '3', '4'].map(talk))).join(' '));

  const closed = new Promise((resolve) => (other.onclose = resolve));
  other.close();
  end = slept();
  const { timestamp, code } = await closed;
  console.log('closed before the sleep:', timestamp < end, code);
  // Its messages come while the iteration ends.
  socket.onmessage = null;
  for (let at = 0; at < 5; at++) socket.send('e');
  socket.close();
  console.log('left open, nobody waits for it: done');
}
