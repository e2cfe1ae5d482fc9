// A check that throws counts as failed, and the iteration ends there.
// console: before
// console: fails 1 iterations 1
// log: Error: not today
import { check } from 'k6';

export default function () {
  console.log('before');
  check(0, {
    throws: () => {
      throw new Error('not today');
    },
  });
  console.log('never');
}
export function handleSummary(data) {
  console.log('fails', data.metrics.checks.values.fails, 'iterations', data.metrics.iterations.values.count);
}
