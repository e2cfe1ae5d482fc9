// Redirects are followed up to ten, or as many as the request allows.
// console: 200 arrived /redirect/0
// console: 302 /redirect/1
// console: 302 /redirect/1
// console: requests 16
// no log: Stopped after 1 
// log: Stopped after 11 redirects and returned the redirection
import http from 'k6/http';

export default function () {
  const path = (response) => response.url.replace(__ENV.URL, '');
  const three = http.get(`${__ENV.URL}/redirect/3`);
  console.log(three.status, three.body, path(three));
  const none = http.get(`${__ENV.URL}/redirect/2`, { redirects: 0 });
  console.log(none.status, none.headers.Location);
  const twelve = http.get(`${__ENV.URL}/redirect/12`);
  console.log(twelve.status, twelve.headers.Location);
}
export function handleSummary(data) {
  console.log('requests', data.metrics.http_reqs.values.count);
}
