// Send a file as it is: `open` with "b" gives bytes.
import http from 'k6/http';
import { check } from 'k6';
import { Api } from './lib/api.js';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const file = open('./data/risk.json', 'b');

export default function () {
  const { headers } = Api.login(BASE_URL);
  const res = http.post(`${BASE_URL}/api/v1/risks`, file, { headers });
  check(res, { 'was created': (r) => r.status === 201, 'from the file': (r) => r.json('title') === 'From a file' });
  const gone = http.del(`${BASE_URL}/api/v1/risks/${res.json('id')}`, null, { headers });
  check(gone, { 'is gone': (r) => r.status === 204 });
}
