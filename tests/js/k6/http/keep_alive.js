// A VU keeps its connection, also between iterations.
// args: --iterations 2
// console: 1 2
// console: 3 4
import http from 'k6/http';

export default function () {
  console.log(http.get(`${__ENV.URL}/nth`).body, http.get(`${__ENV.URL}/nth`).body);
}
