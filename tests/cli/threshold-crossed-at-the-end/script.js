// What is crossed only when all is over stopped nothing.
import { Counter } from 'k6/metrics';
new Counter('never_fed');
export const options = { thresholds: { never_fed: [{ threshold: 'count>0', abortOnFail: true }] } };
export default function () {}
