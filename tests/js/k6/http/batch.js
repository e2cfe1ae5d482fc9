// A batch runs side by side and answers in the order, or under the names, of its requests.
// console: 200 201 202
// console: GET PUT
// console: together together together
import http from 'k6/http';

export default function () {
  const all = http.batch([200, 201, 202].map((status) => `${__ENV.URL}/status/${status}`));
  console.log(all.map((response) => response.status).join(' '));
  const named = http.batch({ one: `${__ENV.URL}/echo`, two: { method: 'PUT', url: `${__ENV.URL}/echo` } });
  console.log(named.one.json('method'), named.two.json('method'));
  const key = `batch-${Math.random()}`;
  const met = http.batch([1, 2, 3].map(() => ['GET', `${__ENV.URL}/together/3/${key}`]));
  console.log(met.map((response) => response.body).join(' '));
}
