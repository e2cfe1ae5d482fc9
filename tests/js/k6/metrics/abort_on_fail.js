// `abortOnFail` ends the run early.
// args: --duration 1h
// exit: 99
// log: at least one has abortOnFail enabled, stopping test prematurely
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

export const options = { thresholds: { bad: [{ threshold: 'count<3', abortOnFail: true }] } };
const bad = new Counter('bad');
export default function () {
  bad.add(1);
  sleep(0.1);
}
