// The end-of-test summary in one's own words.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 3, summaryTrendStats: ['avg', 'p(95)', 'p(99)', 'count'] };

export default function () {
  check(http.get(`${BASE_URL}/plain`), { 'is up': (r) => r.status === 200 });
}

export function handleSummary({ metrics }) {
  const { http_req_duration: duration, checks } = metrics;
  const { count, 'p(95)': p95 } = duration.values;
  return { stdout: `${count} requests, p95 ${p95.toFixed(1)} ms, checks ${checks.values.rate * 100} %\n` };
}
