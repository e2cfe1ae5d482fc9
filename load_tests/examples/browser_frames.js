// A payment in a frame: look into it by a locator, what is outside stays where it is.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 1, options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/app/order`);
    const payment = page.locator('iframe[title=Payment]').contentFrame();
    await payment.getByLabel('Card number').fill('4242424242424242');
    await payment.getByRole('button', { name: 'Pay' }).click();
    const status = page.getByRole('status').filter({ hasText: 'Paid' });
    check(await status.textContent(), { 'paid': (text) => text === 'Paid with card 4242' });

    const frame = page.frames().find((one) => one.url().endsWith('/app/payment'));
    check(frame.parentFrame().url(), { 'the frame belongs to the page': (url) => url === page.url() });
  } finally {
    await page.close();
  }
}
