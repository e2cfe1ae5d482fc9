// With --strict-k6 a gauge has no `set`, and the data of handleSummary no names that k6 does not know.
// args: --strict-k6
// console: TypeError undefined
// console: undefined undefined undefined
// no log: is taken as
import { Gauge } from 'k6/metrics';

const level = new Gauge('level');
export default function () {
  try {
    level.set(7);
  } catch (error) {
    console.log(error.name, level.set);
  }
}
export function handleSummary({ metrics }) {
  const { iterations, iteration_duration: duration } = metrics;
  console.log(iterations.value, duration.values.mean, duration.avg);
}
