// test.abort() ends the groups it is called in: each has its duration, and so has the iteration.
// exit: 108
// log: test aborted: enough
// console: groups 2 iterations 1
import { group } from 'k6';
import exec from 'k6/execution';

export const options = { summaryTrendStats: ['count'] };

export default function () {
  group('outer', () => {
    group('inner', () => exec.test.abort('enough'));
  });
}
export function handleSummary({ metrics }) {
  console.log('groups', metrics.group_duration.values.count, 'iterations', metrics.iterations.values.count);
}
