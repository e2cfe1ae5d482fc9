// A test that a threshold ended waits like any other, here for a moment only.
import { sleep } from 'k6';
export const options = { duration: '60s', thresholds: { iterations: [{ threshold: 'count<1', abortOnFail: true }] } };
export default function () {
  sleep(0.1);
}
