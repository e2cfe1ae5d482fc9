// The default import is `exports.default` where there is one, else all of `module.exports`; a name that is not there
// is undefined.
// console: the default the name dashed undefined
// console: called with 1 helper
// console: default,named,with-dash the default [object Module]
import marked, { named, 'with-dash' as dashed, nothing } from './data/marked.js';
import call, { helper } from './data/function.js';
import * as all from './data/marked.js';

if (__VU === 0) console.log(marked, named, dashed, nothing);
if (__VU === 0) console.log(call(1), helper());
if (__VU === 0) console.log(Object.keys(all).join(), all.default, Object.prototype.toString.call(all));
export default function () {}
