// What a response knows.
// console: 404 404 Not Found nothing here
// console: text/plain true HTTP/1.1 127.0.0.1
// console: true true true
// console: 1404 ""
import http from 'k6/http';

export default function () {
  const response = http.get(`${__ENV.URL}/nowhere`);
  console.log(response.status, response.status_text, response.body);
  const url = response.url === `${__ENV.URL}/nowhere` && response.request.method === 'GET';
  console.log(response.headers['Content-Type'], url, response.proto, response.remote_ip);
  const { duration, sending, waiting, receiving, blocked } = response.timings;
  console.log(duration > 0, Math.abs(duration - sending - waiting - receiving) < 1e-6, blocked >= 0);
  console.log(response.error_code, JSON.stringify(response.error));
}
