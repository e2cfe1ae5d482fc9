// args: --vus 3 --iterations 6
// once: the params of a request have no `header`, did you mean `headers`?
import http from 'k6/http';

export default function () {
  http.get(__ENV.URL, { header: { a: 'b' } });
}
