// Log in as a person does: fill two fields, press a button, and see what comes.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 2, options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/app/login`);
    await page.getByLabel('E-mail').fill('admin@demo.local');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    const refusal = await page.getByRole('alert').filter({ hasText: 'wrong' }).textContent();
    check(refusal, { 'a wrong password is refused': (text) => text === 'E-mail or password is wrong' });

    await page.getByLabel('Password').fill('demo-password');
    await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Sign in' }).click()]);
    const heading = await page.getByRole('heading', { level: 1 }).textContent();
    check(heading, { 'logged in': (text) => text === 'Risks' });
  } finally {
    await page.close();
  }
}
