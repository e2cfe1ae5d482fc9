// What leftovers.py runs: a person who logs in, over and over.
import { browser } from 'k6/browser';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  scenarios: {
    ui: {
      executor: 'constant-vus', vus: Number(__ENV.VUS || 10), duration: __ENV.DURATION || '60s', gracefulStop: '30s', options: { browser: { type: 'chromium' } },
    },
  },
};

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/app/login`);
    await page.getByLabel('E-mail').fill('admin@demo.local');
    await page.getByLabel('Password').fill('demo-password');
    await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Sign in' }).click()]);
    const heading = await page.getByRole('heading', { level: 1 }).textContent();
    if (heading !== 'Risks') throw new Error(`${heading} is not the page after the login`);
    console.log('logged in');
  } finally {
    await page.close();
  }
}
