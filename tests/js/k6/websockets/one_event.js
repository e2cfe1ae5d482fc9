// A handler that takes its event apart gets the same one again, with what the next message is; one that keeps events finds each as
// it was.
// console: taken apart: one=one two=two three=three, target and origin: true true
// console: copies: 5 names, four five, later ones apart: true
// console: kept: message six seven, apart: true, times in order: true
// console: long and short: 5000 eight
// console: by arguments: nine ten, apart: true
// console: data alone: a b c d, then with its time: e f later: true true, then others: message g undefined h
// console: handlers of handlers: 1:i 2:j 3:k, none for l, 4:m, not callable: true
import { WebSocket } from 'k6/websockets';

const url = `${__ENV.URL.replace('http', 'ws')}/ws/echo`;

export default async function () {
  const socket = new WebSocket(url);
  await new Promise((resolve) => (socket.onopen = resolve));
  // Sends texts one after the other; `handler` says by `next` that it has seen one.
  const through = (texts, make) =>
    new Promise((resolve) => {
      let at = 0;
      const next = () => (++at < texts.length ? socket.send(texts[at]) : resolve());
      socket.onmessage = make(next);
      socket.send(texts[0]);
    });

  const late = [];
  let same = true;
  let origins = true;
  await through(['one', 'two', 'three'], (next) => ({ data, target, origin, inner = () => data }) => {
    late.push([data, inner]);
    same &&= target === socket;
    origins &&= origin === url;
    next();
  });
  console.log(`taken apart: ${late.map(([data, inner]) => `${data}=${inner()}`).join(' ')}, target and origin:`, same, origins);

  const copies = [];
  await through(['four', 'five'], (next) => ( { ...rest } ) => {
    copies.push(rest);
    next();
  });
  const [first, second] = copies;
  console.log(`copies: ${Object.keys(first).length} names, ${first.data} ${second.data}, later ones apart:`, first !== second);

  const kept = [];
  await through(['six', 'seven'], (next) => (event) => {
    kept.push(event);
    next();
  });
  const times = kept.map((event) => event.timestamp);
  await through(['x'.repeat(5000), 'eight'], (next) => ({ data }) => {
    late.push([data]);
    next();
  });
  const texts = `${kept[0].type} ${kept[0].data} ${kept[1].data}`;
  console.log(`kept: ${texts}, apart: ${kept[0] !== kept[1]}, times in order:`, times[0] <= times[1] && first.timestamp <= times[0]);
  const [long, short] = late.slice(-2);
  console.log('long and short:', long[0].length, short[0]);

  const events = [];
  await through(['nine', 'ten'], (next) => function ({ data }) {
    events.push([data, arguments[0]]);
    next();
  });
  const isApart = events[0][1] !== events[1][1] && events.every(([data, event]) => event.data === data);
  console.log(`by arguments: ${events[0][0]} ${events[1][0]}, apart:`, isApart);

  const seen = [];
  await through(['a', 'b'], (next) => ({ data }) => next(seen.push(data)));
  await through(['c', 'd'], (next) => ( {
    data
  } ) => next(seen.push(data)));
  const before = Date.now();
  await through(['e', 'f'], (next) => ({ data, timestamp }) => next(seen.push(data, timestamp >= before)));
  await through(['g'], (next) => ({ dataset, type, data }) => next(seen.push(type, data, dataset)));
  await through(['h'], (next) => ({ data }, more = next) => more(seen.push(data)));
  const [a, b, c, d, e, isLater, f, isLaterToo, ...others] = seen;
  console.log(`data alone: ${a} ${b} ${c} ${d}, then with its time: ${e} ${f} later: ${isLater} ${isLaterToo}, then others:`, ...others);

  const heard = [];
  let isRefused = false;
  await new Promise((resolve) => {
    const last = ({ data }) => resolve(heard.push(`4:${data}`));
    const third = ({ data }) => {
      heard.push(`3:${data}`);
      socket.onmessage = null;
      socket.send('l');
      setTimeout(() => {
        try {
          socket.onmessage = 'no function';
        } catch {
          isRefused = true;
        }
        socket.onmessage = last;
        socket.send('m');
      }, 100);
    };
    const second = ({ data }) => {
      heard.push(`2:${data}`);
      socket.onmessage = third;
      socket.send('k');
    };
    socket.onmessage = ({ data }) => {
      heard.push(`1:${data}`);
      socket.onmessage = second;
      socket.send('j');
    };
    socket.send('i');
  });
  const [one, two, three, four] = heard;
  console.log(`handlers of handlers: ${one} ${two} ${three}, none for l, ${four}, not callable:`, isRefused);
  socket.close();
}
