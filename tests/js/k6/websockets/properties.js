// What a socket has is its own, so that JSON and lists of names show it; and codes that are no numbers close as usual.
// console: {"url":"...","readyState":1,"bufferedAmount":0,"extensions":[],"protocol":"","binaryType":"blob","OPEN":1,"CLOSED":3,"CLOSING":2,"CONNECTING":0}
// console: CLOSED,CLOSING,CONNECTING,OPEN,addEventListener,binaryType,bufferedAmount,close,extensions,onclose,onerror,onmessage,onopen,onping,onpong,ping,protocol,readyState,send,url
// console: closed undefined 1000
// console: closed null 1000
// console: closed 0 1000
// console: closed NaN 1000
// console: closed x 1000
// console: closed false 1000
// console: closed [object Object] 1000
// console: closed 3000 3000
// console: early 2
// console: early closed
import { WebSocket } from 'k6/websockets';

const at = () => `${__ENV.URL.replace('http', 'ws')}/ws/echo`;
export const options = {
  thresholds: { ws_msgs_sent: ['count>0'], 'ws_msgs_sent{status:101}': ['count>0'] },
};

const opened = (socket) => new Promise((resolve) => (socket.onopen = resolve));
const closed = (socket) => new Promise((resolve) => (socket.onclose = resolve));

export default async function () {
  const first = new WebSocket(at());
  const event = await opened(first);
  console.log(JSON.stringify(event.target));
  console.log(Object.keys(first).sort().join());
  first.close();
  for (const code of [undefined, null, 0, NaN, 'x', false, {}, 3000]) {
    const socket = new WebSocket(at());
    await opened(socket);
    socket.close(code);
    const { code: said } = await closed(socket);
    console.log('closed', String(code), said);
  }
  const early = new WebSocket(at());
  early.onopen = () => console.log('opened');
  early.close();
  console.log('early', early.readyState);
  await closed(early);
  console.log('early closed');
}

export function handleSummary({ metrics }) {
  const count = (name) => metrics[name].values.count;
  if (count('ws_msgs_sent') !== count('ws_msgs_sent{status:101}')) console.log('some have no tags');
  return {};
}
