// `expectedStatuses` decides what counts as failed.
// console: 2 of 4 failed
import http from 'k6/http';

export default function () {
  http.get(`${__ENV.URL}/status/200`);
  http.get(`${__ENV.URL}/status/404`);
  const responseCallback = http.expectedStatuses(404, { min: 500, max: 599 });
  http.get(`${__ENV.URL}/status/503`, { responseCallback });
  http.get(`${__ENV.URL}/status/200`, { responseCallback });
}
export function handleSummary(data) {
  const { passes, fails } = data.metrics.http_req_failed.values;
  console.log(passes, 'of', passes + fails, 'failed');
}
