// Asynchronous generators and `for await`: what goes on behind each step has its own context.
// args: --features async-metric-context
// console: body 0 main
// console: loop 0 main
// console: body 1 main
// console: loop 1 main
// console: end main
// console: plain a main
// console: plain b main
// console: closed main
// console: caught main
// console: delegated 1 main
// console: returned main
// console: queued 1 generator
// console: queued 2 generator
// console: not iterable TypeError TypeError
import exec from 'k6/execution';

let tags;
const later = (value) => new Promise((resolve) => setTimeout(() => resolve(value), 1));

async function* numbers() {
  for (let at = 0; at < 2; at++) {
    await later();
    console.log('body', at, tags.at);
    yield later(at);
  }
}
async function* delegating() {
  yield* [later(1)];
  console.log('returned', tags.at);
}
// Timers of others that change tags, meanwhile.
const noise = () => setInterval(() => { tags.at = 'noise'; }, 1);

export default async function () {
  ({ tags } = exec.vu.metrics);
  const timer = noise();
  tags.at = 'main';
  for await (const number of numbers()) console.log('loop', number, tags.at);
  console.log('end', tags.at);
  const list = {
    [Symbol.iterator]: () => ({
      left: [() => later('a'), () => 'b', () => Promise.reject(new Error('no'))],
      next() { return { value: this.left.shift()(), done: false }; },
      return() { console.log('closed', tags.at); return {}; },
    }),
  };
  try {
    for await (const item of list) console.log('plain', item, tags.at);
  } catch (error) {
    console.log(error.message === 'no' ? 'caught' : error, tags.at);
  }
  for await (const item of delegating()) console.log('delegated', item, tags.at);
  // Steps that were asked for at once: the body goes on by itself.
  const queued = (async function* () {
    tags.at = 'generator';
    yield later(1);
    console.log('queued', 1, tags.at);
    yield later(2);
    console.log('queued', 2, tags.at);
  })();
  await Promise.all([queued.next(), queued.next(), queued.next()]);
  const wrong = [5, undefined].map(async (value) => {
    try {
      for await (const item of value) console.log(item);
    } catch (error) {
      return error.name;
    }
  });
  console.log('not iterable', ...(await Promise.all(wrong)));
  clearInterval(timer);
}
