// The four types, as the summary knows them.
// args: --iterations 4
// console: counter 10
// console: gauge 4 1 4
// console: rate 0.5 2 2
// console: trend 2.5 2.5 1 4 3.7
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

export const options = { summaryTrendStats: ['avg', 'med', 'min', 'max', 'p(90)'] };
const counter = new Counter('a_counter');
const gauge = new Gauge('a_gauge');
const rate = new Rate('a_rate');
const trend = new Trend('a_trend');
export default function () {
  const n = __ITER + 1;
  counter.add(n);
  gauge.add(n);
  rate.add(n % 2 === 0);
  trend.add(n);
}
export function handleSummary({ metrics }) {
  console.log('counter', metrics.a_counter.values.count);
  const { value, min, max } = metrics.a_gauge.values;
  console.log('gauge', value, min, max);
  const { rate: share, passes, fails } = metrics.a_rate.values;
  console.log('rate', share, passes, fails);
  const seen = metrics.a_trend.values;
  console.log('trend', seen.avg, seen.med, seen.min, seen.max, seen['p(90)'].toFixed(1));
}
