// A name that can't be sent is quoted as it was given.
// console: net/http: invalid header field name "bad name"
// console: net/http: invalid header field name "X-Ü"
// console: net/http: invalid header field name ""
import http from 'k6/http';

export default function () {
  for (const name of ['bad name', 'X-\u00dc', '']) console.log(http.get(`${__ENV.URL}/text`, { headers: { [name]: 'v' } }).error);
}
