// A hundred series, twenty times a second: what joining costs is seen beside little else.
import { Counter, Rate, Trend } from 'k6/metrics';

const trends = Array.from({ length: 50 }, (_, at) => new Trend(`trend_${at}`, true));
const counters = Array.from({ length: 30 }, (_, at) => new Counter(`counter_${at}`));
const rates = Array.from({ length: 20 }, (_, at) => new Rate(`rate_${at}`));

export const options = {
  scenarios: {
    only: {
      executor: 'constant-arrival-rate', rate: Number(__ENV.RATE || 40), duration: `${__ENV.SECONDS || 20}s`,
      preAllocatedVUs: 20, maxVUs: 40,
    },
  },
  thresholds: { trend_0: ['p(95)<1000'], counter_0: ['count>0'] },
};

export default function () {
  trends.forEach((trend) => trend.add(Math.random() * 100));
  counters.forEach((counter) => counter.add(1));
  rates.forEach((rate) => rate.add(Math.random() < 0.5));
}
