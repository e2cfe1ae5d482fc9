// The script itself may be CommonJS.
// args: --vus 2 --iterations 2
// console: setup
// console: object true undefined
// console: object true undefined
const http = require('k6/http');

exports.setup = () => { console.log('setup'); return { token: 1 }; };
exports.default = function (data) {
  console.log(typeof data, typeof http.get === 'function', typeof this);
};
module.exports.teardown = () => {};
