// What the server would hardly ever do: requests of the page are answered, changed or refused by the script.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 1, options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  try {
    await page.route(/\/api\/risks\?/, async (route) => {
      const risks = { data: [{ title: 'Made up', score: 99 }], total: 1 };
      await route.fulfill({ status: 200, contentType: 'application/json', body: JSON.stringify(risks) });
    });
    await page.route(/\/api\/stats$/, (route) => route.fulfill({ status: 503, body: 'down' }));
    await page.route(/style\.css$/, (route) => route.abort('blockedbyclient'));

    await page.goto(`${BASE_URL}/app/risks`);
    const row = await page.locator('tbody tr').innerText();
    check(row, { 'the page shows the answer of the script': (text) => /Made up\s+99/.test(text) });
    await page.getByRole('link', { name: 'Figures' }).click();
    const alert = await page.getByRole('alert').textContent();
    check(alert, { 'an outage is told': (text) => text === 'The register does not answer (503)' });
  } finally {
    await page.close();
  }
}
