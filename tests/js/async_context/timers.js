// Timers run under the context they were set in; each tick of an interval begins with that again.
// args: --features async-metric-context
// console: timeout set a b
// console: tick set changed 0
// console: promise of a tick changed 0
// console: tick set changed 1
// console: promise of a tick changed 1
// console: module set
// console: outside main
import { setTimeout as moduleTimeout } from 'k6/timers';
import exec from 'k6/execution';

let tags;

export default async function () {
  ({ tags } = exec.vu.metrics);
  tags.at = 'set';
  setTimeout((a, b) => console.log('timeout', tags.at, a, b), 1, 'a', 'b');
  await new Promise((resolve) => {
    let ticks = 0;
    const interval = setInterval(() => {
      const before = tags.at;
      tags.at = `changed ${ticks}`;
      console.log('tick', before, tags.at);
      Promise.resolve().then(() => console.log('promise of a tick', tags.at));
      if (++ticks === 2) {
        clearInterval(interval);
        setTimeout(resolve, 5);
      }
    }, 20);
  });
  await new Promise((resolve) => {
    moduleTimeout(() => {
      console.log('module', tags.at);
      tags.at = 'lost';
      resolve();
    });
    tags.at = 'main';
  });
  // Its await was registered after the change.
  console.log('outside', tags.at);
}
