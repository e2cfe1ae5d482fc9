// Samples of a request carry the context of its call, whatever is in force when it ends; redirects too.
// args: --features async-metric-context
// console: main
// console: 1 3 1 0
import exec from 'k6/execution';
import http from 'k6/http';
import { group } from 'k6';

const names = ['http_reqs{at:call}', 'http_reqs{group:::g}', 'http_req_duration{at:other}', 'http_reqs{at:main}'];
export const options = { thresholds: Object.fromEntries(names.map((name) => [name, []])), summaryTrendStats: ['count'] };
let result;

export default async function () {
  const { tags } = exec.vu.metrics;
  tags.at = 'call';
  const first = http.asyncRequest('GET', `${__ENV.URL}/text`);
  delete tags.at;
  const second = group('g', async () => {
    await null;
    await http.asyncRequest('GET', `${__ENV.URL}/redirect/2`);
  });
  const third = (async () => {
    await null;
    tags.at = 'other';
    await http.asyncRequest('GET', `${__ENV.URL}/text`);
  })();
  tags.at = 'main';
  await Promise.all([first, second, third]);
  result = tags.at;
  console.log(result);
}
export function handleSummary({ metrics }) {
  console.log(...names.map((name) => metrics[name].values.count));
}
