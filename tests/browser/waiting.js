// Waiting for elements: states, what was never there, documents that come and go meanwhile.
// console: attached visible null null undefined undefined
// console: strict waiting for "p": error:strictmodeviolation
// console: wrong waiting for "p": "here" is no state to wait for: attached, detached, visible or hidden
// console: found after the page went on: second page
// console: clicked after the page went on: yes
// console: default timeout waiting for selector "#never": timed out after 250ms
// console: own timeout waiting for selector "#never": timed out after 150ms
// console: no limit came
// console: at once false true
// console: replaced yes
// console: without frames: done
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  await page.setContent('<p>one</p><p style="display:none">two</p>');
  const fails = async (f) => {
    try {
      return await f();
    } catch (error) {
      return String(error);
    }
  };
  const later = (text, ms) => page.evaluate((t, m) => { setTimeout(new Function(t), m); }, text, ms);
  const p = await page.waitForSelector('p:nth-child(2)', { state: 'attached' });
  console.log('attached', (await page.waitForSelector('p')) && 'visible', await page.waitForSelector('p:nth-child(2)', { state: 'hidden' }), await page.waitForSelector('.never', { state: 'detached' }),
    await page.locator('.never').waitFor({ state: 'hidden' }), await page.locator('p').nth(1).waitFor({ state: 'attached' }));
  console.log('strict', await fails(() => page.locator('p').waitFor({ timeout: 300 })));
  console.log('wrong', await fails(() => page.locator('p').waitFor({ state: 'here', timeout: 300 })));
  await later("location.href = URL.createObjectURL(new Blob(['<h1>second page</h1>'], { type: 'text/html' }))", 100);
  console.log('found after the page went on:', await page.locator('h1').textContent());
  await page.evaluate(() => { document.body.innerHTML = '<button disabled>b</button>'; });
  await later("location.href = URL.createObjectURL(new Blob(['<button onclick=this.textContent=`yes`>b</button>'], { type: 'text/html' }))", 100);
  await page.click('button');
  console.log('clicked after the page went on:', await page.textContent('button'));
  page.setDefaultTimeout(250);
  console.log('default timeout', await fails(() => page.waitForSelector('#never')));
  console.log('own timeout', await fails(() => page.waitForSelector('#never', { timeout: 150 })));
  await later("document.body.append(Object.assign(document.createElement('i'), { id: 'i', textContent: 'came' }))", 400);
  console.log('no limit', await page.locator('#i').textContent({ timeout: 0 }));
  console.log('at once', await page.isVisible('#never'), await page.locator('#never').isHidden());
  await page.evaluate(() => {
    document.body.innerHTML = '<div id="box"></div>';
    let n = 0;
    const timer = setInterval(() => {
      document.getElementById('box').innerHTML = '<button style="margin-left:' + (n++ * 7) + 'px">b</button>';
      document.querySelector('button').onclick = () => { clearInterval(timer); window.clicked = 'yes'; };
      if (n > 20) clearInterval(timer);
    }, 15);
  });
  page.setDefaultTimeout(5000);
  await page.click('button'); console.log('replaced', await page.evaluate(() => window.clicked));
  await page.evaluate(() => { window.requestAnimationFrame = () => 0; window.setTimeout = () => 0; Node.prototype.contains = null; document.querySelectorAll = null; Array.prototype.map = null; });
  await page.locator('button').click(); console.log('without frames:', 'done');
  await page.close();
}
