// A request that takes too long ends with code 1050; the run goes on.
// console: 0 1050 request timeout
// console: 200
// log: Request Failed
import http from 'k6/http';

export default function () {
  const slow = http.get(`${__ENV.URL}/hang`, { timeout: 100 });
  console.log(slow.status, slow.error_code, slow.error);
  console.log(http.get(`${__ENV.URL}/text`).status);
}
