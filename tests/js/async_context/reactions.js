// Reactions run under the context they were registered in: not that of the promise's making, nor of its settling.
// args: --features async-metric-context
// console: then registered
// console: second own
// console: catch registered
// console: finally registered
// console: chained own
// console: all registered
// console: adopted registered
// console: settled in settling
import exec from 'k6/execution';

let tags;
const say = (what) => () => console.log(what, tags.at);
const at = (name) => {
  tags.at = name;
};

export default async function () {
  ({ tags } = exec.vu.metrics);
  at('making');
  let settle, refuse;
  const promise = new Promise((resolve) => (settle = resolve));
  const refused = new Promise((_, reject) => (refuse = reject));
  at('registered');
  const first = promise.then(say('then'));
  const caught = refused.catch(say('catch'));
  const last = first.finally(say('finally'));
  at('own');
  const second = promise.then(() => {
    say('second')();
    // What it registers, it registers under what it changed.
    return Promise.resolve().then(say('chained'));
  });
  at('registered');
  const all = Promise.all([caught, last, second]).then(say('all'));
  const adopted = new Promise((resolve) => resolve(all)).then(say('adopted'));
  at('settling');
  settle();
  refuse();
  await adopted;
  say('settled in')();
}
