// What `import.meta.resolve` gives counts from nowhere: k6 does not warn of it.
// console: words of data
// no log: open() was used
import { later } from './data/opens_later.js';

const words = later(import.meta.resolve('./data/words.txt'));
if (__VU === 0) console.log(words);
export default function () {}
