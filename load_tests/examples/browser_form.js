// Every kind of field: text, list, radio buttons, checkbox. Actions wait until the field is ready.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 1, options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/app/risks#new`);
    await page.getByLabel('Title').fill('Flood in the archive');
    await page.getByLabel('Impact').selectOption({ label: 'High' });
    await page.getByLabel('Likely').check();
    await page.getByRole('checkbox', { name: 'I own this risk' }).setChecked(true);
    await page.getByLabel('Description').pressSequentially('Water on the shelves', { delay: 5 });
    check(await page.getByLabel('Description').inputValue(), { 'typed': (text) => text === 'Water on the shelves' });

    await page.getByLabel('Title').press('Enter');
    const status = page.getByRole('status').filter({ hasText: 'Saved' });
    check(await status.textContent(), { 'saved with its score': (text) => text === 'Saved "Flood in the archive" with a score of 25' });
  } finally {
    await page.close();
  }
}
