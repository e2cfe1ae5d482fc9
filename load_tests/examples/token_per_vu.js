// Every VU logs in once, in its first iteration, and keeps its token: variables of a module belong to one VU.
import { check } from 'k6';
import { Api } from './lib/api.js';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 2, iterations: 6 };

let api;

export default function () {
  api ??= Api.login(BASE_URL);
  check(api.get('/api/v1/risks?limit=1', 'one risk'), { 'the token still works': (r) => r.status === 200 });
}
