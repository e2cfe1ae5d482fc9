// Tags of a request select it in thresholds; the address is a tag unless a name is given. What is
// measured can't be overridden.
// exit: 99
// console: 1 2 2
// log: thresholds on metrics 'http_reqs{name:nobody}' have been crossed
import http from 'k6/http';

export const options = {
  thresholds: {
    'http_reqs{kind:fast}': ['count==1'],
    'http_reqs{name:items}': ['count==2'],
    'http_reqs{status:404}': ['count==2'],
    'http_reqs{name:nobody}': ['count>0'],
  },
};
export default function () {
  http.get(`${__ENV.URL}/text`, { tags: { kind: 'fast' } });
  for (const id of [1, 2]) http.get(http.url`${__ENV.URL}/nowhere/${id}`, { tags: { name: 'items', status: '200' } });
}
export function handleSummary({ metrics }) {
  const count = (filter) => metrics[`http_reqs{${filter}}`].values.count;
  console.log(count('kind:fast'), count('name:items'), count('status:404'));
}
