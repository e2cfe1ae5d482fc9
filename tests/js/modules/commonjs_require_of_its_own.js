// A file may have a `require` of its own.
// console: mine
const require = () => 'mine';
console.log(require('k6'));
exports.default = () => {};
