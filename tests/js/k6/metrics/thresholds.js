// A crossed threshold gives exit code 99, after everything else was done.
// exit: 99
// console: torn down
// console: false true
// log: thresholds on metrics 'errors' have been crossed
import { Counter, Rate } from 'k6/metrics';

export const options = { thresholds: { errors: ['rate<0.1'], done: ['count==1'] } };
const errors = new Rate('errors');
const done = new Counter('done');
export default function () {
  errors.add(true);
  done.add(1);
}
export function teardown() {
  console.log('torn down');
}
export function handleSummary({ metrics }) {
  console.log(metrics.errors.thresholds['rate<0.1'].ok, metrics.done.thresholds['count==1'].ok);
}
