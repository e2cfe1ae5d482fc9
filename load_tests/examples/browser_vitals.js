// Is it fast for people? Thresholds on web vitals, and on one page's alone.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
// How much slower than a usual machine this one may be.
const slower = Number(__ENV.SLOWER || 1);
export const options = {
  scenarios: { ui: { executor: 'shared-iterations', vus: 1, iterations: 3, options: { browser: { type: 'chromium' } } } },
  thresholds: {
    browser_web_vital_lcp: [`p(75)<${2500 * slower}`],
    browser_web_vital_cls: ['p(75)<0.1'],
    browser_web_vital_ttfb: [`p(75)<${800 * slower}`],
    [`browser_web_vital_fcp{url:${BASE_URL}/app/login}`]: [`p(75)<${1800 * slower}`],
    browser_http_req_failed: ['rate<0.01'],
  },
};

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/app/login`);
    // The first input fixes the largest paint; closing the page sends what is left.
    await page.getByLabel('E-mail').click();
    check(await page.title(), { 'the page is there': (title) => title === 'Sign in' });
  } finally {
    await page.close();
  }
}
