// With `noConnectionReuse` every request has a connection of its own.
// console: 1 1
import http from 'k6/http';

export const options = { noConnectionReuse: true };
export default function () {
  console.log(http.get(`${__ENV.URL}/nth`).body, http.get(`${__ENV.URL}/nth`).body);
}
