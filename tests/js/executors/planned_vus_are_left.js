// VUs that are planned for a scenario to come are not taken by one that runs short.
// args: --summary-mode=compact
// console: waits 6
// no log: Could not get a VU
import { sleep } from 'k6';
import exec from 'k6/execution';

export const options = {
  scenarios: {
    short: { executor: 'constant-arrival-rate', rate: 20, duration: '1s', preAllocatedVUs: 1, maxVUs: 4, gracefulStop: '0s' },
    waits: { executor: 'per-vu-iterations', vus: 6, startTime: '900ms', exec: 'waits' },
  },
};
export default function () {
  sleep(3);
}
export function waits() {
  sleep(0.1);
  if (exec.scenario.iterationInTest === 5) console.log('waits', exec.scenario.iterationInTest + 1);
}
