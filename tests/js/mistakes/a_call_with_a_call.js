// TypeErrors name the call that fails, not one that it is given; where the text leaves two, both.
// console: api.list is not a function
// console: api.list is not a function
// console: user.id is not a function
// console: ...api.list is not a function
import { check } from 'k6';
import http from 'k6/http';

const api = {};
const user = {};
function page() { return 1; }
const told = [
  () => api.list(page()),
  () => api.list(http.url(['x']), new Date(), Math.max(1, 2)),
  () => check(user.id(), {}),
  () => api.list(__ENV.URL.toString()),
];
export default function () {
  for (const tell of told) {
    try { tell(); } catch (error) { console.log(error.message); }
  }
}
