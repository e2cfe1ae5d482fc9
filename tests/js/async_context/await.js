// What is behind an `await` has the tags, metadata and group that were there before it, however the promise ended.
// args: --features async-metric-context
// console: one call outer
// console: two call own
// console: caught call own
// console: finally call own
// console: thrown here call set inside
// console: arrow call own
// console: method call own
// console: nested call own 3
// console: not a promise call own
// console: thenable call own
// console: kept 1000 of 1000
// console: main call outer
import exec from 'k6/execution';

let tags, metadata;
const say = (what, ...more) => console.log(what, tags.place, metadata.note, ...more);
const later = (value, fails) =>
  new Promise((resolve, reject) => setTimeout(() => (fails ? reject(new Error(value)) : resolve(value)), 1));

class Thing {
  async method() {
    await later(1);
    say('method');
  }
}

async function own() {
  metadata.note = 'own';
  await later(1);
  say('two');
  try {
    await later('no', true);
  } catch (error) {
    say(error.message === 'no' ? 'caught' : 'other');
  }
  try {
    await later('no', true).catch((error) => Promise.reject(error));
  } catch {
    try {
      await later('no', true);
    } finally {
      say('finally');
    }
  }
}

export default async function () {
  ({ tags, metadata } = exec.vu.metrics);
  tags.place = 'call';
  metadata.note = 'outer';
  await later(1);
  say('one');
  const outer = own().catch(() => {});
  // It ran in this context until its first await.
  metadata.note = 'outer';
  await outer;
  await (async () => {
    metadata.note = 'own';
    await later(1);
    try {
      metadata.note = 'set inside';
      throw new Error('here');
    } catch {
      say('thrown here');
    }
    metadata.note = 'own';
    const arrow = async () => say('arrow', ...((await later([])) ?? []));
    await arrow();
    await new Thing().method();
    const add = async (a, b) => (await later(a)) + (await b);
    say('nested', await add(await later(1), later(2)));
    await 1;
    say('not a promise');
    await { then: (resolve) => resolve() };
    say('thenable');
  })();
  metadata.note = 'outer';
  let kept = 0;
  const worker = async (from) => {
    tags.worker = from;
    for (let at = 0; at < 100; at++) {
      await (at % 10 === 0 ? later(at) : at);
      if (tags.worker === String(from) && tags.place === 'call' && metadata.note === 'outer') kept++;
    }
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((from) => worker(from)));
  delete tags.worker;
  console.log('kept', kept, 'of 1000');
  say('main');
}
