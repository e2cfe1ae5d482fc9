// An empty agent is shown, and not sent.
// console: [""] undefined
import http from 'k6/http';

export const options = { userAgent: '' };
export default function () {
  const r = http.get(`${__ENV.URL}/echo`);
  console.log(JSON.stringify(r.request.headers['User-Agent']), r.json('headers')['user-agent']);
}
