// Functions that are called back: what they get, what becomes of what they throw, and what is refused.
// console: 0 a true
// console: 1 b true
// console: 2
// console: the function passed to each() failed: Error: inside
// console: the argument to each() must be a function
// console: ["a"]
// console: the argument to filter() must be a function, a selector or a selection
// console: the argument to is() must be a function, a selector or a selection
// console: Error: from a predicate
// console: b a true
import { parseHTML } from 'k6/html';

const li = parseHTML('<li>a<li>b').find('li');
const message = (call) => {
  try { return call(); } catch (error) { return error.message; }
};

export default function () {
  const back = li.each(function callback(at, element) {
    console.log(at, element.textContent(), this === callback);
  });
  console.log(back.size());
  console.log(message(() => li.each(() => { throw new Error('inside'); })));
  console.log(message(() => li.each()));
  console.log(JSON.stringify(li.map((at, one) => {
    if (at === 1) throw new Error('left out');
    return one.text();
  })));
  console.log(message(() => li.filter(undefined)));
  console.log(message(() => li.is(li.get(0))));
  try {
    li.is(() => { throw new Error('from a predicate'); });
  } catch (error) {
    console.log(String(error));
  }
  console.log(li.filter((at) => at === 1).text(), li.not((at) => at === 1).text(), li.is((at, raw) => raw.text() === 'b'));
}
