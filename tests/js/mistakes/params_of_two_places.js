// One warning for each place, and none for names like no other.
// args: --iterations 2
// once: the params of a request have no `Headers`, did you mean `headers`? (file://.../params_of_two_places.js:10)
// once: the params of a request have no `Headers`, did you mean `headers`? (file://.../params_of_two_places.js:11)
// no log: the params of a request have no `note`
import http from 'k6/http';

export default function () {
  for (let at = 0; at < 3; at++) {
    http.get(`${__ENV.URL}/get`, { Headers: {}, note: 1 });
    http.post(`${__ENV.URL}/post`, '', { Headers: {} });
  }
}
