// log: "k6" has no export named "cheek", did you mean "check"? (file://.../an_export_misspelt.js:
import { cheek } from 'k6';
export default function () {}
