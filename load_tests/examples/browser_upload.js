// Upload a file that only exists in the script: its content is base64.
import { browser } from 'k6/browser';
import { check } from 'k6';
import encoding from 'k6/encoding';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 1, options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/app/import`);
    const csv = 'title,impact,probability\nPower cut,4,2\nLost keys,2,5\n';
    await page.setInputFiles('input[type=file]', { name: 'risks.csv', mimeType: 'text/csv', buffer: encoding.b64encode(csv) });
    await page.getByRole('listitem').first().waitFor();
    const titles = await Promise.all((await page.getByRole('listitem').all()).map((item) => item.textContent()));
    check(titles, { 'the page has read the file': (list) => list.join() === 'Power cut,Lost keys' });

    await page.getByRole('button', { name: 'Import' }).click();
    const status = page.getByRole('status').filter({ hasText: /./ });
    check(await status.textContent(), { 'imported': (text) => text === 'Imported 2' });
  } finally {
    await page.close();
  }
}
