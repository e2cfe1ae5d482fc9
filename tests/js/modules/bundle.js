// What bundlers make of ES modules for CommonJS: getters on a copy, made before anything is there.
// console: function function 1
var __defProp = Object.defineProperty;
var __copy = (to, from) => {
  for (let key of Object.getOwnPropertyNames(from)) __defProp(to, key, { get: () => from[key], enumerable: true });
  return to;
};
var exported = {};
for (const [name, get] of Object.entries({ default: () => main, options: () => options })) {
  __defProp(exported, name, { get, enumerable: true });
}
module.exports = __copy(__defProp({}, '__esModule', { value: true }), exported);
var http = __copy({}, require('k6/http'));
var k6 = require('k6');
var options = { iterations: 1, vus: 1 };
function main() {
  (0, k6.check)(null, { fine: () => true });
  console.log(typeof http.get, typeof k6.check, options.iterations);
}
