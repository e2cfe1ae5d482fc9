// ES modules import CommonJS libraries as if they were their own kind.
import http from 'k6/http';
import { check } from 'k6';
import random, { pick } from './lib/random.js';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 3 };

export default function () {
  const path = pick(['/plain', '/json', '/health']);
  check(http.get(BASE_URL + path), { 'is up': (r) => r.status === 200 });
  check(random.between(1, 6), { 'a die': (n) => n >= 1 && n <= 6 });
}
