// Vitals and requests are counted, also of pages that the end of the iteration closes; other requests are not mixed with them.
// console: browser_web_vital_cls browser_web_vital_fcp browser_web_vital_lcp browser_web_vital_ttfb
// console: 1 request of http, 4 of the browser, 1 failed
import { browser } from 'k6/browser';
import http from 'k6/http';

export const options = {
  scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } },
  thresholds: {
    'browser_http_req_failed{status:404}': ['rate==1'],
    'browser_http_req_failed{status:200}': ['rate==0'],
    'browser_http_req_duration{resource_type:Document}': ['max<60000'],
  },
};

export default async function () {
  http.get(`${__ENV.PAGES}/home`);
  const page = await browser.newPage();
  await page.goto(`${__ENV.PAGES}/home`);
  await page.evaluate(() => fetch('/missing').then((response) => response.text()));
  await page.goto(`${__ENV.PAGES}/second`);
}

export function handleSummary({ metrics }) {
  console.log(...Object.keys(metrics).filter((name) => /^browser_web_vital_[a-z]+$/.test(name)).sort());
  const { passes, fails } = metrics.browser_http_req_failed.values;
  console.log(`${metrics.http_reqs.values.count} request of http, ${passes + fails} of the browser, ${passes} failed`);
  return {};
}
