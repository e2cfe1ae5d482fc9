// CommonJS files that require each other see what is there so far.
// console: second first second true
const first = require('./data/first.js');
const second = require('./data/second.js');
if (__VU === 0) console.log(first.second, second.seen, second.later(), require('./data/../data/first.js') === first);
exports.default = () => {};
