import http from 'k6/http';
import { check } from 'k6';

export default function () {
  check(http.get(`${__ENV.URL}/json`), { 'is 200': (response) => response.status === 200 });
}
