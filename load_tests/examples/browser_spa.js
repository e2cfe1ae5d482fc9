// A page that is never loaded anew: follow its links and wait for what they show, not for a navigation.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 2, options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/app/risks`);
    const rows = page.locator('tbody tr');
    await rows.first().waitFor();
    const all = await rows.count();

    await page.getByRole('searchbox', { name: 'Search' }).fill('risk that nobody has');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 0);
    check(all, { 'rows before the search': (count) => count > 0 });

    await page.getByRole('link', { name: 'Figures' }).click();
    await page.getByRole('heading', { name: 'Figures' }).waitFor();
    check(page.url(), { 'the address tells the view': (url) => url.endsWith('#figures') });
    check(await page.locator('table').isVisible(), { 'the list is gone': (shown) => !shown });
  } finally {
    await page.close();
  }
}
