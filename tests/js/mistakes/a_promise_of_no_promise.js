// log: http.get(...).then is not a function
// hint: `http.asyncRequest` returns one
import http from 'k6/http';

export default function () {
  http.get(`${__ENV.URL}/bytes/1`).then((response) => response.body);
}
