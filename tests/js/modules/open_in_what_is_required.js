// See the test beside this one.
// console: words beside the test
if (__VU === 0) console.log(require('./data/opens.js').text);
exports.default = () => {};
