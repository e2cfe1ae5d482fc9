// `asyncRequest` is a promise; several run side by side.
// console: 200 GET
// console: together together
import http from 'k6/http';

export default async function () {
  const response = await http.asyncRequest('GET', `${__ENV.URL}/echo`);
  console.log(response.status, response.json('method'));
  const url = `${__ENV.URL}/together/2/async-${Math.random()}`;
  const all = await Promise.all([
    http.asyncRequest('GET', url), http.asyncRequest('POST', url),
  ]);
  console.log(all.map((answer) => answer.body).join(' '));
}
