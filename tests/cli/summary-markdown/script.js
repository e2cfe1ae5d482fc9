import { check } from 'k6';

export const options = { iterations: 2, thresholds: { checks: ['rate==1'], iterations: ['count>5'] } };

export default function () {
  check(1, { 'is one': (value) => value === 1, 'is *two*': (value) => value === 2 });
}
