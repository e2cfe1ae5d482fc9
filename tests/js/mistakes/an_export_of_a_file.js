// exit: 107
// log: "./data/helper.js" has no export named "logn", did you mean "login"? (file://
// log: SyntaxError: The requested module "./data/helper.js" does not provide an export named "logn"
import { logn } from './data/helper.js';
export default function () {}
