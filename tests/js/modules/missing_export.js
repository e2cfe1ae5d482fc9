// A name that a file does not export is an error with its place, after what is imported has run.
// exit: 107
// console: first
// log: SyntaxError: The requested module "./data/has_one_name.js" does not provide an export named "yess"...at file://.../missing_export.js:9...
// log: "./data/has_one_name.js" has no export named "yess", did you mean "yes"?...missing_export.js:9...
import './data/says_first.js';
import {
  yes,
  yess,
} from './data/has_one_name.js';

console.log('never', yes, yess);
export default function () {}
