// Headers go out as given; the address keeps its query.
// console: yes mine
// console: a=1&b=2 /echo/deep
import http from 'k6/http';

export default function () {
  const sent = http.get(`${__ENV.URL}/echo/deep?a=1&b=2`, { headers: { 'X-Ours': 'yes', 'User-Agent': 'mine' } }).json();
  console.log(sent.headers['x-ours'], sent.headers['user-agent']);
  console.log(sent.query, sent.path);
}
