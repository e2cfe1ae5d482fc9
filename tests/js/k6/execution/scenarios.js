// Scenarios run their own functions with their own variables and tags, one after the other.
// console: first one
// console: second two
// console: 1 1
import exec from 'k6/execution';

export const options = {
  scenarios: {
    one: { executor: 'per-vu-iterations', exec: 'first', env: { NAME: 'one' }, tags: { part: 'a' } },
    two: { executor: 'shared-iterations', exec: 'second', env: { NAME: 'two' }, startTime: '500ms' },
  },
  thresholds: { 'iterations{part:a}': ['count==1'], 'iterations{scenario:two}': ['count==1'] },
};
export function first() {
  console.log('first', exec.scenario.name === __ENV.NAME ? __ENV.NAME : 'somebody else');
}
export function second() {
  console.log('second', exec.scenario.name === __ENV.NAME ? __ENV.NAME : 'somebody else');
}
export function handleSummary({ metrics }) {
  console.log(metrics['iterations{part:a}'].values.count, metrics['iterations{scenario:two}'].values.count);
}
