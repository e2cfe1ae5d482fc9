// A walk in a loop makes a long chain of selections; letting go of it must not need a deep stack.
// args: --iterations 2
// console: 30000 last
// console: 30000 last
import { parseHTML } from 'k6/html';

const page = `${'<i></i>'.repeat(29999)}<b>last</b>`;

export default function () {
  let at = parseHTML(page).find('i').first();
  let steps = 0;
  let text = '';
  while (at.size() > 0) {
    steps += 1;
    text = at.text();
    at = at.next();
  }
  console.log(steps, text);
}
