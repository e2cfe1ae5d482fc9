// See the test beside this one.
// console: words of data; words beside the test
// no log: open() was used
const { text } = require('./data/opens.js');
if (__VU === 0) console.log([text, open('words.txt')].join('; '));
exports.default = () => {};
