// The names that the file of --summary-export has are there in the data of handleSummary, for those who ask.
// args: --iterations 4
// console: Total Requests: 10
// console: Failed: 0.5 0.5 2
// console: Level: 4 4
// console: Times: 2.5 2.5 4 4 3.85 1 2.5
// console: Last: Infinity
// console: Declared: undefined 0 0 0 0 0
// console: type,contains,values|count,rate
// console: {"type":"counter","contains":"default","values":{"count":10,"rate":...}}
// console: avg,min,med,max,p(90),p(95)
// console: false true 5
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const requests = new Counter('requests');
const errors = new Rate('errors');
const level = new Gauge('level');
const times = new Trend('times');
const endless = new Gauge('endless');
new Counter('never');
new Counter('never_judged');
new Rate('never_rated');
new Trend('never_timed');

export const options = {
  thresholds: { never_judged: ['count<5'], never_rated: ['rate<5'], 'never_timed{a:b}': ['avg<5'] },
};
export default function () {
  const n = __ITER + 1;
  requests.add(n);
  errors.add(n % 2);
  level.add(n);
  times.add(n);
  endless.add(Infinity);
}
export function handleSummary(data) {
  const m = data.metrics;
  console.log(`Total Requests: ${m.requests.value}`);
  console.log('Failed:', m.errors.value, m.errors.rate ?? m.errors.values.rate, m.errors.passes);
  console.log('Level:', m.level.value, m.level.max);
  const { mean, p95, p99, count } = m.times.values;
  console.log('Times:', mean, m.times.avg, Number(p99.toFixed(1)), count, Number(p95.toFixed(2)), m.times.min, m.times.med);
  console.log('Last:', m.endless.value);
  const never = [m.never_judged.value, m.never_rated.value, m.never_timed.values.mean, m.never_timed.values.p95, m['never_timed{a:b}'].values.count];
  console.log('Declared:', m.never, ...never);
  const counter = m.requests;
  console.log(`${Object.keys(counter)}|${Object.keys(counter.values)}`);
  console.log(JSON.stringify(counter));
  const seen = [];
  for (const key in m.times.values) seen.push(key);
  console.log(seen.join());
  console.log(Object.keys({ ...m.level }).includes('value'), 'value' in m.level, (m.level.value += 1));
}
