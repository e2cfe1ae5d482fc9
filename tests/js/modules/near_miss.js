// A name that k6 lacks is undefined, and one that is much like another is told.
// console: undefined undefined
// log: "k6" has no export named "cheek", did you mean "check"?...
// no log: "nothing"
import { cheek, nothing } from 'k6';

export default function () {
  console.log(typeof cheek, typeof nothing);
}
