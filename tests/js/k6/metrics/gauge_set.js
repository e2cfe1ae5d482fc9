// Older scripts call `set` of a gauge: it is `add`, with one warning for the whole run.
// args: --vus 3 --iterations 6
// console: gauge 7 7 1
// console: name,add
// log: `set` of the gauge 'level' is taken as `add`
import { Counter, Gauge } from 'k6/metrics';

const level = new Gauge('level');
const odd = new Gauge('odd');
const counter = new Counter('counted');
export default function () {
  level.set(7, { a: 'b' });
  level.set(true);
  level.add(7);
  odd.set(1);
  if ('set' in counter) throw new Error('only gauges have it');
}
export function handleSummary({ metrics }) {
  const { value, max, min } = metrics.level.values;
  console.log('gauge', value, max, min);
  console.log(Object.keys(level).join());
}
