// log: response.json is not a function
// hint: `response = await http.asyncRequest(...)`
import http from 'k6/http';

export default function () {
  const response = http.asyncRequest('GET', __ENV.URL);
  response.json();
}
