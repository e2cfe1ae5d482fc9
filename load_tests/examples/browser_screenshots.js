// Pictures: of what is seen, of the whole page, of one element. With `path` they are written to the disk.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 1, options: { browser: { type: 'chromium' } } } } };

const size = (png) => {
  const view = new DataView(png);
  return { width: view.getUint32(16), height: view.getUint32(20) };
};

export default async function () {
  const page = await browser.newPage();
  try {
    await page.setViewportSize({ width: 800, height: 300 });
    await page.goto(`${BASE_URL}/app/risks`);
    await page.locator('tbody tr').first().waitFor();
    check(size(await page.screenshot()), { 'what is seen': (png) => png.width === 800 && png.height === 300 });
    check(size(await page.screenshot({ fullPage: true })), { 'the whole page': (png) => png.height > 300 });

    const table = await page.$('table');
    const path = `${__ENV.SHOTS || '.'}/table.png`;
    check(size(await table.screenshot({ path })), { 'one element': (png) => png.width < 800 });
  } finally {
    await page.close();
  }
}
