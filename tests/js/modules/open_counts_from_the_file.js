// `open` counts from the file whose top level is running, also while that one requires others. A function of another file
// counts from the one that calls it, with k6's warning.
// console: words of data, words of data, words beside the test, words beside the test, words of data
// log: open() was used and is currently relative to 'file://.../tests/js/modules/', but...relative to 'file://.../tests/js/modules/data/opens_later.js'. This means...
import { text } from './data/opens.js';
import { bothWays, later } from './data/opens_later.js';

const beside = open('words.txt');
const called = later('words.txt');
if (__VU === 0) console.log([text, bothWays, beside, called, require('./data/opens.js').text].join(', '));
export default function () {}
