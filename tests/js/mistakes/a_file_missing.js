// exit: 107
// log: "./helper.js" couldn't be found on local disk
// hint: imported at file://.../a_file_missing.js:
import { a } from './helper.js';
export default function () {}
