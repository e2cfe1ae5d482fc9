// exit: 107
// log: "./data/near/helper.js" couldn't be found on local disk
// hint: did you mean "./data/near/helper.ts"?
import { a } from './data/near/helper.js';
export default function () {
  a();
}
