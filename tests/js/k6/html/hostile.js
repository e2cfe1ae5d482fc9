// Documents nobody should send are refused in one line, and the next one is fine.
// console: html: open stack of elements exceeds 512 nodes
// console: html: a tag has more than 10000 attributes
// console: 0 ab undefined
// console: 3
import { parseHTML } from 'k6/html';

const message = (call) => {
  try { return call(); } catch (error) { return error.message; }
};

export default function () {
  console.log(message(() => parseHTML('<div>'.repeat(100000))));
  console.log(message(() => parseHTML(`<p ${Array.from({ length: 20000 }, (_, at) => `a${at}`).join(' ')}>`)));
  const odd = parseHTML('a\u0000b');
  console.log(odd.find('\u0000').size(), odd.text(), odd.attr('x'));
  let names = 0;
  const tags = ['x-y', 'constructor', 'valueof'];
  parseHTML(tags.map((tag) => `<${tag}></${tag}>`).join('')).find('body').children().each((_, e) => {
    names += typeof e.nodeName === 'function' && tags.includes(e.nodeName()) ? 1 : 0;
  });
  console.log(names);
}
