// log: k6.cheek is not a function
import * as k6 from 'k6';
export default function () { k6.cheek(1); }
