// Samples of an asynchronous request carry the tags and the group of its call.
// console: 1 1 0
import exec from 'k6/execution';
import http from 'k6/http';
import { group } from 'k6';

const names = ['http_reqs{at:call}', 'http_reqs{group:::called}', 'http_reqs{at:answer}'];
export const options = { thresholds: Object.fromEntries(names.map((name) => [name, []])) };

export default async function () {
  const { tags } = exec.vu.metrics;
  tags.at = 'call';
  const sent = group('called', () => http.asyncRequest('GET', `${__ENV.URL}/text`));
  tags.at = 'answer';
  await sent;
}
export function handleSummary({ metrics }) {
  console.log(...names.map((name) => metrics[name].values.count));
}
