// `simple.js` with promises: one awaited GET and one check.
import { check } from 'k6';
import http from 'k6/http';

const URL = __ENV.URL || 'http://127.0.0.1:8080/plain';

export default async function () {
  const res = await http.asyncRequest('GET', URL);
  check(res, { 'status is 200': (r) => r.status === 200 });
}
