// Tags make sub-metrics.
// console: 3 1 2
import { Counter } from 'k6/metrics';

export const options = { thresholds: { 'hits{place:cache}': ['count>=0'], 'hits{place:db}': ['count>=0'] } };
const hits = new Counter('hits');
export default function () {
  hits.add(1, { place: 'cache' });
  hits.add(2, { place: 'db' });
}
export function handleSummary({ metrics }) {
  const count = (name) => metrics[name].values.count;
  console.log(count('hits'), count('hits{place:cache}'), count('hits{place:db}'));
}
