// A file may have a `require` of its own.
// console: mine
const require = () => 'mine';
if (__VU === 0) console.log(require('k6'));
exports.default = () => {};
