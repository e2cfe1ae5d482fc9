// A group that has not ended when its iteration is interrupted has no duration, nor has what it waits for.
// args: --features async-metric-context
// console: ::waiting
// console: true 0
import exec from 'k6/execution';
import { group } from 'k6';
import { Counter } from 'k6/metrics';

export const options = { scenarios: { one: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s' } } };
const counter = new Counter('counted');

export default async function () {
  await group('waiting', async () => {
    await null;
    console.log(exec.vu.metrics.tags.group);
    counter.add(1);
    await new Promise((resolve) => setTimeout(resolve, 60000));
    console.log('never');
  });
}
export function handleSummary({ metrics }) {
  console.log('group_duration' in metrics ? 'a duration' : true, metrics.iterations?.values.count ?? 0);
}
