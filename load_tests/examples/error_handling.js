// Answers that are not what one hopes for: 404, text where JSON was expected, an exception of one's own.
import http from 'k6/http';
import { check, fail } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 1 };

function jsonOf(res) {
  try {
    return res.json();
  } catch (error) {
    return { error: String(error) };
  }
}

export default function () {
  const missing = http.get(`${BASE_URL}/api/risks/none`, { responseCallback: http.expectedStatuses(404) });
  check(missing, { 'is not there': (r) => r.status === 404 });
  check(jsonOf(http.get(`${BASE_URL}/plain`)), { 'text is no JSON': (body) => body.error !== undefined });
  try {
    fail('this step gave up');
  } catch (error) {
    check(error, { 'fail can be caught': (e) => e.message === 'this step gave up' });
  }
}
