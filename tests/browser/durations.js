// browser_http_req_duration agrees with other clocks: it is at least what the server says that it took, and at most what passed here from before to after.
// console: held 1
// console: the browser's time is between the server's and the script's
import { browser } from 'k6/browser';
import { Trend } from 'k6/metrics';

const server = new Trend('server_time', true);
const here = new Trend('script_time', true);
export const options = {
  scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } },
  thresholds: { 'browser_http_req_duration{name:held}': ['max>=0'] },
};

export default async function () {
  const page = await browser.newPage();
  page.on('metric', (metric) => metric.tag({ name: 'held', matches: [{ url: /held/ }] }));
  await page.goto(`${__ENV.PAGES}/home`);
  const ended = new Promise((resolve) => page.on('requestfinished', (request) => { if (request.url().includes('held')) resolve(); }));
  const begun = Date.now();
  const [text] = await Promise.all([page.evaluate(() => fetch('/held').then((response) => response.text())), ended]);
  here.add(Date.now() - begun);
  server.add(Number(text));
  await page.close();
}

// The clocks of the script and of the processes read whole milliseconds, or tick a little differently.
const TICK = 2;

export function handleSummary({ metrics }) {
  const values = (name) => metrics[name].values;
  const measured = values('browser_http_req_duration{name:held}');
  console.log('held', values('server_time').max >= 300 ? 1 : values('server_time').max);
  const isBetween = measured.min >= values('server_time').max - TICK && measured.max <= values('script_time').max + TICK;
  console.log(isBetween ? "the browser's time is between the server's and the script's" : `${values('server_time').max} ${measured.min} ${measured.max} ${values('script_time').max}`);
  return {};
}
