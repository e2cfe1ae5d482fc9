// What asynchronous work changes stays with it: neither its neighbours nor what comes after see it.
// args: --features async-metric-context --iterations 2
// console: undefined start
// console: a a
// console: b b
// console: later undefined
// console: then-a set by then
// console: then-b undefined
// console: after undefined
// console: iteration 0 undefined
// console: undefined start
// console: a a
// console: b b
// console: later undefined
// console: then-a set by then
// console: then-b undefined
// console: after undefined
// console: iteration 1 undefined
import exec from 'k6/execution';

let tags, metadata;
const turns = async (count) => {
  for (let at = 0; at < count; at++) await null;
};

export default async function () {
  ({ tags, metadata } = exec.vu.metrics);
  console.log(tags.a, 'start');
  const work = async (name) => {
    await null;
    tags.a = name;
    metadata.a = name;
    await turns(name === 'a' ? 3 : 5);
    console.log(tags.a, metadata.a);
  };
  await Promise.all([work('a'), work('b')]);
  console.log('later', tags.a);
  const settled = Promise.resolve();
  settled.then(() => {
    tags.a = 'set by then';
    console.log('then-a', tags.a);
  });
  settled.then(() => console.log('then-b', tags.a));
  await turns(3);
  console.log('after', tags.a);
  settled.then(() => {
    tags.a = 'last';
  });
  await turns(2);
  console.log('iteration', exec.vu.iterationInScenario, tags.a);
}
