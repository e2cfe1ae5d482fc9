// log: r.stauts is not a function
import http from 'k6/http';
import { check } from 'k6';

export default function () {
  check(http.get(__ENV.URL), { ok: (r) => r.stauts() === 200 });
}
