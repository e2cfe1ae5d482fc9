// exit: 107
// hint: did you mean "./data/near/folder/index.js"?
import { b } from './data/near/folder';
export default function () {
  b();
}
