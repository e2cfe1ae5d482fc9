// A run that its script ends inside of groups: those that it left by that have a duration, those that waited have none.
// args: --features async-metric-context
// exit: 108
// log: test aborted: enough
// console: 1 2
import exec from 'k6/execution';
import { group } from 'k6';

export const options = {
  summaryTrendStats: ['count'],
  thresholds: { 'group_duration{group:::left}': [], 'group_duration{group:::left::in it}': [], 'group_duration{group:::waiting}': [], 'iterations{own:yes}': [] },
};

export default async function () {
  group('waiting', () => new Promise((resolve) => setTimeout(resolve, 60000)));
  await null;
  group('left', () => {
    exec.vu.metrics.tags.own = 'yes';
    group('in it', () => exec.test.abort('enough'));
  });
}
export function handleSummary({ metrics }) {
  const count = (name) => metrics[name]?.values.count ?? 0;
  const durations = ['left', 'left::in it', 'waiting'].map((name) => count(`group_duration{group:::${name}}`));
  console.log(metrics.iterations.values.count - count('iterations{own:yes}'), durations.reduce((a, b) => a + b));
}
