// Every page reports what it was measured by, however soon it is left for another, or closed.
// console: cls 7, fcp 7, lcp 7, ttfb 7
import { browser } from 'k6/browser';

export const options = {
  summaryTrendStats: ['count'],
  scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } },
};

export default async function () {
  const page = await browser.newPage();
  for (let turn = 0; turn < 4; turn++) await page.goto(`${__ENV.PAGES}/${turn % 2 === 0 ? 'home' : 'second'}?${turn}`);
  await page.reload();
  await page.goBack();
  await page.close();
  const last = await browser.context().newPage();
  await last.goto(`${__ENV.PAGES}/home`);
}

export function handleSummary({ metrics }) {
  const counts = ['cls', 'fcp', 'lcp', 'ttfb'].map((name) => `${name} ${metrics[`browser_web_vital_${name}`]?.values.count ?? 0}`);
  console.log(counts.join(', '));
  return {};
}
