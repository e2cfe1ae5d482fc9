// log: Request Failed
// hint: `-e NAME=VALUE` gives `__ENV.NAME` one
import http from 'k6/http';
export default function () {
  http.get(`${__ENV.NO_SUCH_VARIABLE}/health`);
}
