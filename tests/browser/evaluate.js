// What is evaluated in pages: functions of all forms, expressions, handles as arguments, odd numbers, and what a page does that goes on.
// console: {"a":1} 3 method Home 4
// console: null Infinity 12345678901234567890 -0
// console: H1 Home true
// console: a,b {"a":1,"b":[2]} 1
// console: evaluating JS: ...
// console: evaluating JS: Target page, context or browser has been closed
// console: evaluating JS: functions can not be passed to a page
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const failure = async (f) => { try { await f(); return 'no error'; } catch (e) { return String(e).split('\n')[0]; } };

export default async function () {
  const page = await browser.newPage();
  await page.goto(`${__ENV.PAGES}/home`);
  const methods = { named() { return 'method'; } };
  console.log(JSON.stringify(await page.evaluate(() => ({ a: 1 }))), await page.evaluate('1 + 2'), await page.evaluate(methods.named),
    await page.evaluate('document.title'), await page.evaluate('let x = 2; x * 2'));
  console.log(await page.evaluate(() => NaN), await page.evaluate(() => Infinity), String(await page.evaluate(() => 12345678901234567890n)),
    Object.is(await page.evaluate((n) => n, -0), -0) ? '-0' : 'no');
  const heading = await page.evaluateHandle(() => document.querySelector('h1'));
  console.log(await page.evaluate((e) => e.tagName, heading), await page.evaluate((x, e) => e.textContent, 1, heading), heading.asElement() !== null);
  const handle = await page.evaluateHandle(() => ({ a: 1, b: [2] }));
  const properties = await handle.getProperties();
  console.log(Object.keys(properties).join(), JSON.stringify(await handle.jsonValue()), await properties.a.jsonValue());
  // The page goes on while it is waited for.
  const never = failure(() => page.evaluate(() => new Promise(() => {})));
  await page.goto(`${__ENV.PAGES}/second`);
  console.log(await never);
  const closed = failure(() => page.evaluate(() => new Promise(() => {})));
  await page.close();
  console.log(await closed);
  const other = await browser.context().newPage();
  console.log(await failure(() => other.evaluate((f) => f, () => 1)));
}
