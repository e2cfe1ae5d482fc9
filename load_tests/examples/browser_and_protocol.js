// Load over the protocol, and one browser beside it: what does a person feel meanwhile?
import { browser } from 'k6/browser';
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  scenarios: {
    load: { executor: 'constant-arrival-rate', rate: 20, duration: '2s', preAllocatedVUs: 20, exec: 'api' },
    person: { executor: 'shared-iterations', vus: 1, iterations: 1, exec: 'ui', options: { browser: { type: 'chromium' } } },
  },
  thresholds: { http_req_failed: ['rate<0.01'], browser_http_req_failed: ['rate<0.01'] },
};

export function api() {
  check(http.get(`${BASE_URL}/api/risks?limit=5`), { 'the API answers': (r) => r.status === 200 });
}

export async function ui() {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/app/risks`);
    const total = await page.getByTestId('total').textContent();
    check(total, { 'the page shows the register': (text) => text.endsWith('in all') });
  } finally {
    await page.close();
  }
}
