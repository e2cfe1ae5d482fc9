// Six GETs at once and one check. Counted per request.
import { check } from 'k6';
import http from 'k6/http';

const URL = __ENV.URL || 'http://127.0.0.1:8080/plain';
const REQUESTS = Array.from({ length: 6 }, () => ['GET', URL]);

export default function () {
  const answers = http.batch(REQUESTS);
  check(answers, { 'all are 200': (list) => list.every((res) => res.status === 200) });
}
