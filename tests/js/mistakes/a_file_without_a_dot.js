// exit: 107
// log: The moduleSpecifier "data/helper.js"
// hint: `./data/helper.js`
import { x } from 'data/helper.js';
export default function () {}
