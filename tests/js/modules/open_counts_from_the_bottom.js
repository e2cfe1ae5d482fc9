// `open` in a file that is imported counts from that file, in one that is required from the one that began.
// console: words of data
import { text } from './data/opens.js';
if (__VU === 0) console.log(text);
export default function () {}
