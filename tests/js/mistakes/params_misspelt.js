// args: --iterations 3
// once: the params of a request have no `timout`, did you mean `timeout`? (file://.../params_misspelt.js:
import http from 'k6/http';

export default function () {
  http.get(__ENV.URL, { timout: '1s' });
}
