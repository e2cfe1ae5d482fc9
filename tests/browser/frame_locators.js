// Elements in frames: found through locators of frames and by the frame itself, clicked where they are in the page.
// console: one in the frame 2
// console: nested deep clicked deep
// console: offset [true,true]
// console: filled typed
// console: late came later
// console: count 0 1 0 visible false true hidden true
// console: clicked through the frame 1
// console: error clicking on "#f1 >> internal:control=enter-frame >> button": timed out after 300ms: the frame <iframe id="f1" name="f1"> is covered by <div id="cover">
// console: error getting text content of "h1 >> internal:control=enter-frame >> p": "h1" is no frame
// console: error getting text content of "iframe >> internal:control=enter-frame >> p": strict mode violation, multiple elements returned for selector query
// console: box true
// console: scrolled into view 1
// console: again after a new document: second
// console: handles true iframe
// console: waits gone undefined undefined
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const PAGE = `<h1>outer</h1><iframe id="f1" name="f1" style="margin:50px;border:5px solid;padding:7px" srcdoc="<p>in the frame</p><p>two</p><button onclick='window.hits=(window.hits||0)+1'>B</button><input><div style='height:2000px'></div><a href='#' id='low' onclick='window.low=1;return false'>low</a>"></iframe>
<iframe id="f2" srcdoc="<iframe id='inner' srcdoc='<p>deep</p><button onclick=&quot;document.querySelector(\`p\`).textContent=\`clicked deep\`&quot;>D</button>'></iframe>"></iframe>`;

export default async function () {
  const page = await browser.newPage();
  await page.setContent(PAGE);
  const fails = async (f) => {
    try {
      console.log(await f());
    } catch (error) {
      console.log('error', error.message);
    }
  };
  const f1 = page.frameLocator('#f1');
  console.log('one', await f1.locator('p').first().textContent(), await f1.locator('p').count());
  const inner = page.locator('#f2').contentFrame().frameLocator('#inner');
  const before = await inner.getByText('deep').textContent();
  await inner.getByRole('button', { name: 'D' }).click();
  console.log('nested', before, await inner.locator('p').textContent());
  const box = await f1.locator('button').boundingBox();
  const [frame, own] = [await page.locator('#f1').boundingBox(), await f1.locator('button').evaluate((e) => { const r = e.getBoundingClientRect(); return [r.x, r.y]; })];
  console.log('offset', JSON.stringify([Math.abs(box.x - (frame.x + 12 + own[0])) < 0.1, Math.abs(box.y - (frame.y + 12 + own[1])) < 0.1]));
  await f1.locator('input').fill('ty'); await f1.locator('input').pressSequentially('ped'); console.log('filled', await f1.locator('input').inputValue());
  await page.evaluate(() => setTimeout(() => {
    const late = document.createElement('iframe');
    late.id = 'late'; late.srcdoc = '<p>came later</p>';
    document.body.append(late);
  }, 300));
  const counts = [await page.frameLocator('#late').locator('p').count()];
  console.log('late', await page.frameLocator('#late').locator('p').textContent());
  counts.push(await page.frameLocator('#late').locator('p').count(), await page.frameLocator('#never').locator('p').count());
  console.log('count', counts.join(' '), 'visible', await page.frameLocator('#never').locator('p').isVisible(), await page.frameLocator('#late').locator('p').isVisible(), 'hidden', await page.frameLocator('#never').locator('p').isHidden());
  await f1.locator('button').click(); console.log('clicked through the frame', await f1.locator('button').evaluate(() => window.hits));
  await page.evaluate(() => {
    const cover = document.createElement('div');
    cover.id = 'cover'; cover.style = 'position:fixed;inset:0';
    document.body.append(cover);
  });
  await fails(() => f1.locator('button').click({ timeout: 300 }));
  await page.evaluate(() => document.getElementById('cover').remove());
  await fails(() => page.frameLocator('h1').locator('p').textContent({ timeout: 300 }));
  await fails(() => page.frameLocator('iframe').locator('p').textContent({ timeout: 300 }));
  const mine = await (await page.$('#f1')).contentFrame();
  const boxes = [await mine.locator('button').boundingBox(), box];
  console.log('box', JSON.stringify(boxes[0]) === JSON.stringify(boxes[1]));
  await mine.click('#low'); console.log('scrolled into view', await mine.evaluate(() => window.low));
  await page.evaluate(() => { document.getElementById('f1').srcdoc = '<p>second</p>'; });
  console.log('again after a new document:', await f1.getByText('second').textContent());
  const handle = await (await page.$('#f2')).contentFrame().then((f) => f.$('iframe'));
  console.log('handles', (await handle.ownerFrame()).parentFrame() === page.mainFrame(), (await handle.evaluate((e) => e.tagName)).toLowerCase());
  console.log('waits', 'gone', await page.frameLocator('#never').locator('p').waitFor({ state: 'detached' }), await f1.locator('p').waitFor());
  await page.close();
}
