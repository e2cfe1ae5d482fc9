// Modules import each other, and are evaluated once per VU.
// console: the answer is 42
// console: 1
import answer, { count } from './data/answer.mjs';
import * as again from './data/answer.mjs';

export default function () {
  console.log('the answer is', answer);
  console.log(count === again.count ? count : 'evaluated twice');
}
