// Follow the pages to the end.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const LIMIT = 100;

export default function () {
  const seen = new Set();
  let total = Infinity;
  for (let page = 1; seen.size < total && page < 50; page++) {
    const body = http.get(`${BASE_URL}/api/risks?page=${page}&limit=${LIMIT}`, { tags: { name: 'page' } }).json();
    total = Math.min(body.total, 300);
    if (body.data.length === 0) break;
    body.data.forEach((risk) => seen.add(risk.id));
  }
  check(seen, { 'nothing came twice or not at all': (ids) => ids.size >= total });
}
