// Every page reports what it was measured by, however soon it is left for another, or closed.
// A machine that is late may paint one too late: then that one has no more than its first byte.
// console: cls most, fcp most, lcp most, ttfb all
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
  const PAGES = 7;
  const told = (count) => (count === PAGES ? 'all' : count > PAGES / 2 && count < PAGES ? 'most' : count);
  const counts = ['cls', 'fcp', 'lcp', 'ttfb'].map((name) => [name, metrics[`browser_web_vital_${name}`]?.values.count ?? 0]);
  console.log(counts.map(([name, count]) => `${name} ${name !== 'ttfb' && told(count) === 'all' ? 'most' : told(count)}`).join(', '));
  return {};
}
