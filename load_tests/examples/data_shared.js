// Test data that all VUs share: a CSV file as objects, a JSON file as an array. Each is in memory once, however many VUs.
import http from 'k6/http';
import { SharedArray } from 'k6/data';
import csv from 'k6/experimental/csv';
import { open as openFile } from 'k6/experimental/fs';
import exec from 'k6/execution';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const users = await csv.parse(await openFile('data/users.csv'), { asObjects: true });
const searches = new SharedArray('searches', () => JSON.parse(open('./data/searches.json')));
export const options = { scenarios: { rows: { executor: 'shared-iterations', vus: 2, iterations: 4 } } };

export default function () {
  const at = exec.scenario.iterationInTest;
  const { email, password, works } = users[at % users.length];
  const params = { responseCallback: http.expectedStatuses(200, 401) };
  const login = http.post(`${BASE_URL}/api/v1/auth/login`, { email, password }, params);
  const { text, least } = searches[at % searches.length];
  const found = http.get(`${BASE_URL}/api/risks?search=${encodeURIComponent(text)}`, { tags: { name: 'search' } });
  check(login, { 'as the file says': (r) => (r.status === 200) === (works === 'yes') });
  check(found, { 'found enough': (r) => r.status === 200 && r.json('total') >= least });
}
