// Selections: finding, walking, filtering, and what becomes of other documents.
// console: 3 b|c a|b|c a 1
// console: c b a 0 undefined undefined
// console: b,c b a|b x|a
// console: 1 -1 0 2 -1 1
// console: ul body html
// console: 2 true 3 2
// console: x
// console: a|b|c|x 3 0 0
// console: true invalid argument, cannot use a 'int64' as a selector
// console: invalid argument, cannot use a '<nil>' as a selector
// console: 2 b
// console: [["1",true],["",false]] <i>b</i>
// console: object [object Object] {"url":""}
import html, { parseHTML } from 'k6/html';

const page = '<ul><li class="x">a</li><li n="1"><i>b</i></li><li class="x">c</li></ul><p>x</p>';
const doc = parseHTML(page);
const li = doc.find('li');
const show = (selection) => selection.toArray().map((one) => one.text()).join('|');

export default function () {
  console.log(li.size(), show(li.slice(1)), show(li.slice(0, 99)), show(li.slice(-3, -2)), li.slice(1, 2).size());
  console.log(li.last().text(), li.eq(-2).text(), li.first().text(), li.eq(7).size(), li.get(3), li.get(-3));
  console.log(show(li.eq(0).siblings()).replace('|', ','), li.filter('[n]').text(), show(li.slice(0, 2)), show(doc.find('p').add(li.first())));
  console.log(li.eq(1).index(), parseHTML('').find('q').index(), li.first().index('li'), li.index(li.eq(2)), li.index(doc.find('p')),
    li.index(li.get(1)));
  console.log(doc.find('i').parentsUntil('body').first().end().closest('ul').get(0).nodeName(), doc.find('ul').parents().map((i, e) => e.get(0).nodeName()).join(' '));
  console.log(li.find('i').end().filter('.x').size(), li.is(li.first()), li.end().find('li').size(), li.not(li.get(0)).size());
  console.log(doc.single('p, li').end().find('p').text());
  const other = parseHTML(page);
  console.log(show(li.add('p')), li.add(li).size(), li.filter(other.find('li')).size(), li.find(other.find('i')).size());
  const message = (call) => {
    try { return call(); } catch (error) { return error.message; }
  };
  console.log(message(() => li.has(doc.find('i')).is('[n]')), message(() => li.find(5)));
  console.log(message(() => doc.closest()));
  console.log(doc.find('ul').contents().eq(1).closest('li').is('[n]') ? 2 : 0, doc.find('li').map((i, e) => e.html()).filter((t) => t.includes('<')).map((t) => t[3]).join());
  const seen = [];
  const kept = li.filter((at, raw) => {
    if (at > 0) seen.push(raw.attr('n'));
    return raw.html()[0].includes('i');
  });
  console.log(JSON.stringify(seen), kept.html());
  console.log(typeof doc, String(doc), JSON.stringify(html.parseHTML(page)));
}
