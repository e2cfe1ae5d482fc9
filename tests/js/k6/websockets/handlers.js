// Who hears of a message, in which order, and what can be done meanwhile; and what `send` takes, wherever it is called from.
// console: onmessage type,target,timestamp,data,origin true number one true
// console: then another two
// console: nobody for three
// console: both added four | both onmessage four | both added again four
// console: replaced meanwhile, the next one: five
// console: six with getters and all: [object Object]
// console: binary 3
// console: undefined GoError: unsupported send type <nil>
// console: number GoError: unsupported send type int64
// console: closing InvalidStateError
// console: descriptor function true false false
// console: seven,microtask of seven,eight
// console: thrown in a handler that is the second one: error Error: second
// log: Error: second
import { WebSocket } from 'k6/websockets';

const at = `${__ENV.URL.replace('http', 'ws')}/ws/echo`;
export const options = { iterations: 2, vus: 1 };

function opened() {
  const socket = new WebSocket(at);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve) => (socket.onopen = () => resolve(socket)));
}
// The next message that `set` hears.
const heard = (socket, text, set) =>
  new Promise((resolve) => {
    set(resolve);
    socket.send(text);
  });

async function first() {
  const socket = await opened();
  let event = await heard(socket, 'one', (resolve) => (socket.onmessage = resolve));
  console.log('onmessage', Object.keys(event).join(), event.target === socket, typeof event.timestamp, event.data, event.origin === socket.url);
  event = await heard(socket, 'two', (resolve) => (socket.onmessage = resolve));
  console.log('then another', event.data);
  socket.onmessage = null;
  socket.send('three');
  await new Promise((resolve) => {
    socket.onpong = resolve;
    socket.ping();
  });
  console.log('nobody for three');
  const { send } = socket;
  await new Promise((resolve) => {
    const said = [];
    const add = (what) => ({ data }) => said.push(`both ${what} ${data}`);
    socket.onmessage = add('onmessage');
    socket.addEventListener('message', add('added again'));
    socket.addEventListener('message', () => resolve(console.log([`both added ${'four'}`, ...said].join(' | '))));
    send('four');
  });
  const other = await opened();
  await new Promise((resolve) => {
    other.onmessage = ({ data }) => {
      other.onmessage = ({ data }) => resolve(console.log('replaced meanwhile, the next one:', data));
      other.send(data === 'x' ? 'five' : 'wrong');
    };
    other.send('x');
  });
  console.log('six with getters and all:', (await heard(other, `${{}}`, (resolve) => (other.onmessage = resolve))).data);
  other.send(new Uint8Array([1, 2, 3]).buffer);
  console.log('binary', (await new Promise((resolve) => (other.onmessage = resolve))).data.byteLength);
  for (const odd of [undefined, 5]) {
    try {
      other.send(odd);
    } catch (error) {
      console.log(typeof odd, `${error.name}: ${error.message}`);
    }
  }
  const order = [];
  await new Promise((resolve) => {
    other.onmessage = ({ data }) => {
      Promise.resolve().then(() => order.push(`microtask of ${data}`));
      if (order.push(data) > 2) resolve();
    };
    other.send('seven');
    other.send('eight');
  });
  const { value, enumerable, writable, configurable } = Object.getOwnPropertyDescriptor(other, 'send');
  socket.close();
  try {
    socket.send('late');
  } catch (error) {
    console.log('closing', error.message);
  }
  console.log('descriptor', typeof value, enumerable, writable, configurable);
  console.log(order.slice(0, 3).join());
  other.close();
}

async function second() {
  const socket = await opened();
  socket.onerror = ({ error }) => console.log('thrown in a handler that is the second one: error', error.replace(/ at .*/, ''));
  socket.onmessage = () => {
    socket.onmessage = () => {
      throw new Error('second');
    };
    socket.send('again');
  };
  socket.send('once');
}

export default function () {
  return __ITER === 0 ? first() : second();
}
