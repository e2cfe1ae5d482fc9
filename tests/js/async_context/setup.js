// A reaction that is queued in setup or teardown keeps its group, also when a `group()` ran in between.
// args: --features async-metric-context
// console: setup ::setup
// console: in it ::setup::b
// console: group ::setup
// console: data 1
// console: main 
// console: teardown ::teardown
// console: in it ::teardown::b
// console: group ::teardown
import exec from 'k6/execution';
import { group } from 'k6';

const say = (what) => console.log(what, exec.vu.metrics.tags.group);
const queue = async (what) => {
  const queued = Promise.resolve().then(() => say(what));
  const inner = group('b', async () => {
    await queued;
    say('in it');
  });
  group('c', () => 1);
  await inner;
  say('group');
};

await Promise.resolve().then(() => undefined);
export async function setup() {
  await queue('setup');
  return 1;
}
export default function (data) {
  console.log('data', data);
  say('main');
}
export async function teardown() {
  await queue('teardown');
}
