import { Rate } from 'k6/metrics';

const errors = new Rate('errors');
export const options = { thresholds: { errors: ['count<50'] } };
export default function () {
  for (let i = 0; i < 200; i += 1) errors.add(i < 50);
}
