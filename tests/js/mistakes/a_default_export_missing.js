// exit: 107
// log: "./data/helper.js" has no export named "default": it has "login" (file://
import login from './data/helper.js';
export default function () { login(); }
