// See the test beside this one.
// console: words beside the test
console.log(require('./data/opens.js').text);
exports.default = () => {};
