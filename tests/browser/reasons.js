// An error of an action says why the element was not ready, in its message; its text is k6's. Uncaught, the log line has it as a hint.
// log: Uncaught (in promise) clicking on "#under": timed out after 200ms
// hint: <button id="under"> is covered by <div class="cover">
// console: clicking on "#gone": timed out after 200ms: no element matches #gone
// console: clicking on "#hidden": timed out after 200ms: <p id="hidden"> is not visible: it has display: none
// console: clicking on "#inside": timed out after 200ms: <b id="inside"> is not visible: <div class="shut"> has display: none
// console: clicking on "#unseen": timed out after 200ms: <p id="unseen"> is not visible: it has visibility: hidden
// console: clicking on "#empty": timed out after 200ms: <p id="empty"> is not visible: its box is ... x 0 pixels
// console: clicking on "#off": timed out after 200ms: <button id="off"> is disabled
// console: clicking on "#in-off": timed out after 200ms: <input id="in-off"> is disabled
// console: clicking on "#under": timed out after 200ms: <button id="under"> is covered by <div class="cover">
// console: clicking on "#moving": timed out after 200ms: <button id="moving"> is moving
// console: clicking on "#away": timed out after 200ms: <button id="away"> is outside of the viewport
// console: filling "#ro" with "x": timed out after 200ms: <input id="ro"> is read-only
// console: checking "#radio": timed out after 200ms: <input id="radio" type="text"> is not a checkbox or radio button
// console: unchecking "#r": timed out after 200ms: clicking on <input id="r" type="radio"> did not change its state
// console: selecting option on "#s": timed out after 200ms: <select id="s"> has no option "no"
// console: waiting for selector "#off": timed out after 200ms: <button id="off"> is in the page
// console: waiting for "#under": timed out after 200ms: <button id="under"> is visible
// console: getting text content of "internal:role=button[name=\"Nobody\"i]": timed out after 200ms: no element matches internal:role=button[name="Nobody"i]
// console: waiting for element state "enabled": timed out: <button id="off"> is disabled
// console: clicking on element: scrolling element into view: element is not attached to the DOM
// console: getting text content of "#f >> internal:control=enter-frame >> p": timed out after 200ms: no element matches #f
// console: clicking on "#under": timed out after 200ms | true
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const PAGE = `<p id="hidden" style="display:none">h</p><div class="shut" style="display:none"><b id="inside">i</b></div><p id="unseen" style="visibility:hidden">u</p><p id="empty"></p>
<button id="off" disabled>o</button><fieldset disabled><input id="in-off"></fieldset><div style="position:relative;width:100px;height:40px"><button id="under" style="width:100px;height:40px">u</button><div class="cover" style="position:absolute;inset:0"></div></div>
<button id="moving" style="position:relative;animation:m 1s linear infinite">m</button><style>@keyframes m{from{left:0}to{left:500px}}</style>
<button id="away" style="position:fixed;left:-500px">a</button><input id="ro" readonly><input id="radio" type="text"><input id="r" type="radio" checked><select id="s"><option>yes</option></select>`;

export default async function () {
  const page = await browser.newPage();
  await page.setContent(PAGE);
  const timeout = 200;
  // A page that gets no time of the machine can't give a reason, and one without frames does not see what moves: it is asked again.
  const says = async (f) => {
    let said = 'no error';
    for (let tries = 0; tries < 20; tries++) {
      try {
        await f();
        said = 'no error';
      } catch (error) {
        said = error.message;
      }
      if (!said.includes('the page does not answer') && !said.includes('was aimed at')) break;
    }
    console.log(said);
  };
  for (const id of ['gone', 'hidden', 'inside', 'unseen', 'empty', 'off', 'in-off', 'under', 'moving', 'away']) await says(() => page.locator(`#${id}`).click({ timeout }));
  await says(() => page.fill('#ro', 'x', { timeout }));
  await says(() => page.check('#radio', { timeout }));
  await says(() => page.uncheck('#r', { timeout }));
  await says(() => page.selectOption('#s', 'no', { timeout }));
  await says(() => page.waitForSelector('#off', { state: 'detached', timeout }));
  await says(() => page.locator('#under').waitFor({ state: 'hidden', timeout }));
  await says(() => page.getByRole('button', { name: 'Nobody' }).textContent({ timeout }));
  const off = await page.$('#off');
  await says(() => off.waitForElementState('enabled', { timeout }));
  await page.evaluate(() => document.getElementById('off').remove());
  await says(() => off.click({ timeout }));
  await says(() => page.frameLocator('#f').locator('p').textContent({ timeout }));
  try {
    await page.click('#under', { timeout });
  } catch (error) {
    console.log(String(error), '|', error instanceof Error);
  }
  await page.click('#under', { timeout });
}
