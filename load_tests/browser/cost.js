// What cost.py runs: page loads with a click and a text, or very many addresses. At marks it waits until they were seen.
import { browser } from 'k6/browser';
import http from 'k6/http';

const { BASE_URL, GATE, KIND } = __ENV;
const COUNT = Number(__ENV.COUNT);
const WARM = Number(__ENV.WARM);
export const options = { scenarios: { ui: { executor: 'shared-iterations', iterations: 1, maxDuration: '2h', options: { browser: { type: 'chromium' } } } } };

function mark(made) {
  const { status } = http.get(`${GATE}/${made}`);
  if (status !== 204) throw new Error(`the gate answers with status ${status}`);
}

export default async function () {
  const page = await browser.newPage();
  if (KIND === 'loads') {
    for (let made = -WARM; made < COUNT; made++) {
      if (made === 0) mark(0);
      await page.goto(`${BASE_URL}/app/login`);
      await page.getByLabel('E-mail').click();
      await page.locator('h1').textContent();
    }
    mark(COUNT);
  } else {
    for (let made = 1; made <= COUNT; made++) {
      await page.goto(`${BASE_URL}/app/login?n=${made}`);
      if (made === Math.ceil(COUNT / 10) || made === Math.ceil(COUNT / 2) || made === COUNT) mark(made);
    }
  }
  await page.close();
}
