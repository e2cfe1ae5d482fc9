// The same pages on a telephone: its screen, its fingers, its network.
import { browser, devices, networkProfiles } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 1, options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const context = await browser.newContext({ ...devices['Pixel 2'], locale: 'de-DE', timezoneID: 'Europe/Berlin' });
  const page = await context.newPage();
  try {
    await page.throttleNetwork(networkProfiles['Fast 3G']);
    await page.goto(`${BASE_URL}/app/risks`);
    check(await page.evaluate(() => window.innerWidth), { 'as wide as a telephone': (width) => width === 411 });
    check(await page.getByRole('link', { name: 'Figures' }).isVisible(), { 'links are in the menu': (shown) => !shown });

    await page.getByRole('button', { name: 'Menu' }).tap();
    await page.getByRole('link', { name: 'Figures' }).tap();
    check(await page.locator('h1', { hasText: 'Figures' }).textContent(), { 'the menu works': (text) => text === 'Figures' });
  } finally {
    await context.close();
  }
}
