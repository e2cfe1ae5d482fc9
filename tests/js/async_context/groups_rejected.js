// A group that nobody waits for and that fails ends the iteration as any promise does; it has a duration.
// args: --features async-metric-context
// log: Uncaught (in promise) Error: on its own
// console: 1
import { group } from 'k6';

export const options = { summaryTrendStats: ['count'] };

export default function () {
  group('alone', async () => {
    await null;
    throw new Error('on its own');
  });
}
export function handleSummary({ metrics }) {
  console.log(metrics.group_duration.values.count);
}
