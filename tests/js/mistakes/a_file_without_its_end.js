// exit: 107
// log: "./data/near/helper" couldn't be found on local disk
// hint: imported at file://.../a_file_without_its_end.js:4, did you mean "./data/near/helper.ts"?
import { a } from './data/near/helper';
export default function () {
  a();
}
