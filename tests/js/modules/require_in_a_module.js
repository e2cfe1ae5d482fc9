// An ES module may require, in init code: modules of k6, CommonJS and ES modules.
// console: true true undefined
// console: called with 2 esm function default,kind
// console: GoError: the "require" function is only available in the init stage (i.e. the global scope), see https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information
// console: undefined
import http, { get } from 'k6/http';

const again = require('k6/http');
const k6 = require('k6');
const esm = require('./data/esm.js');
if (__VU === 0) console.log(again === http, again.get === get && typeof k6.check === 'function', k6.default);
if (__VU === 0) console.log(require('./data/function.js')(2), esm.default, esm.kind, Object.keys(esm).join());
export default function () {
  try { require('k6'); } catch (error) { console.log(String(error)); }
  console.log(typeof again.nothing);
}
