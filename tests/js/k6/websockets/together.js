// Many sockets in one VU, with timers, promises and requests between them; a flood comes whole and in order.
// console: 4000 true
// console: closed 8 times
// console: goodbye 1000 of old
// console: timers that are always due don't keep it waiting
import { WebSocket } from 'k6/experimental/websockets';
import { sleep } from 'k6';
import http from 'k6/http';
// log: k6/experimental/websockets is deprecated and will be removed in a future release. Please use k6/websockets instead.

const base = __ENV.URL.replace('http', 'ws');

export default async function () {
  const flood = new WebSocket(`${base}/ws/flood/4000`);
  const got = [];
  await new Promise((done) => {
    flood.onmessage = ({ data }) => {
      got.push(data);
      // A VU that stands still gets what came meanwhile later.
      if (got.length === 1) sleep(0.05);
      if (got.length === 4000) flood.close();
    };
    flood.onclose = done;
  });
  console.log(got.length, got.every((text, at) => text === `m${at}`));
  let closed = 0;
  const one = (at) =>
    new Promise((done) => {
      const socket = new WebSocket(`${base}/ws/echo`);
      let left = 3;
      socket.onopen = () => setTimeout(() => socket.send(`${at}`), at);
      socket.onmessage = async ({ data }) => {
        if (data !== `${at}`) console.error(`got ${data} instead of ${at}`);
        await http.asyncRequest('GET', `${__ENV.URL}/text`);
        if (--left === 0) socket.close();
        else socket.send(`${at}`);
      };
      socket.onclose = () => done(closed++);
    });
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(one));
  console.log('closed', closed, 'times');
  const old = new WebSocket(`${base}/ws/tell/together-${__ENV.URL.split(':')[2]}`);
  old.onopen = () => old.close(1000, 'of old');
  await new Promise((done) => {
    old.onopen = () => [setTimeout(old.ping, 0), old.onpong = () => old.close(1000, 'of old')];
    old.onclose = ({ code, reason }) => done(console.log('goodbye', code, reason));
  });
  const busy = setInterval(() => {}, 0);
  const waiting = new WebSocket(`${base}/ws/close/1000`);
  waiting.onclose = () => {
    clearInterval(busy);
    console.log("timers that are always due don't keep it waiting");
  };
}
