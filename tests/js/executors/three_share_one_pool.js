// Scenarios one after the other never have more VUs than were announced, whatever each of them needs.
// args: --summary-mode=compact
// console: VUs 4, made beyond 1: true
import { sleep } from 'k6';

const step = (startTime, maxVUs) => ({
  executor: 'constant-arrival-rate', rate: 20, duration: '1s', startTime, preAllocatedVUs: 1, maxVUs, gracefulStop: '0s',
});
export const options = { scenarios: { a: step('0s', 3), b: step('1s', 4), c: step('2s', 2) } };
export default function () {
  sleep(2);
}
export function handleSummary({ metrics }) {
  const { max } = metrics.vus_max.values;
  console.log(`VUs ${max}, made beyond 1: ${max > 1}`);
  return {};
}
