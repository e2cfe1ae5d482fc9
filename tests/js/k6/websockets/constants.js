// The states have names, on the class and on every socket, which nobody changes; the class is the same for all who import it.
// console: OPEN 1 {"value":1,"writable":false,"enumerable":true,"configurable":false} true
// console: CLOSED 3 {"value":3,"writable":false,"enumerable":true,"configurable":false} true
// console: CLOSING 2 {"value":2,"writable":false,"enumerable":true,"configurable":false} true
// console: CONNECTING 0 {"value":0,"writable":false,"enumerable":true,"configurable":false} true
// console: OPEN,CLOSED,CLOSING,CONNECTING
// console: TypeError TypeError TypeError TypeError
// console: TypeError TypeError TypeError TypeError
// console: 1 0 true
// console: CONNECTING OPEN CLOSING CLOSED
// console: true
// console: OPEN 1
import { WebSocket } from 'k6/websockets';
import { WebSocket as Former } from 'k6/experimental/websockets';

const NAMES = ['OPEN', 'CLOSED', 'CLOSING', 'CONNECTING'];
const fault = (attempt) => {
  try {
    attempt();
    return 'none';
  } catch (error) {
    return error.name;
  }
};

export default async function () {
  const socket = new WebSocket(`${__ENV.URL.replace('http', 'ws')}/ws/echo`);
  const own = (name) => JSON.stringify(Object.getOwnPropertyDescriptor(socket, name));
  for (const name of NAMES) {
    console.log(name, WebSocket[name], own(name), own(name) === JSON.stringify(Object.getOwnPropertyDescriptor(WebSocket, name)));
  }
  console.log(Object.keys(WebSocket).join());
  for (const owner of [WebSocket, socket]) {
    const faults = NAMES.map((name, at) => fault(() => (at % 2 === 0 ? (owner[name] = 7) : delete owner[name])));
    console.log(...faults);
  }
  console.log(socket.OPEN, socket.CONNECTING, Object.keys(socket).includes('CLOSING'));
  const seen = [];
  const note = () => seen.push(NAMES.find((name) => WebSocket[name] === socket.readyState));
  note();
  await new Promise((done) => {
    socket.onopen = () => {
      note();
      socket.close();
      note();
    };
    socket.onclose = () => {
      note();
      done();
    };
  });
  console.log(...seen);
  console.log(Former === WebSocket);
  for (const key in socket) if (key === 'OPEN') console.log(key, socket[key]);
}
