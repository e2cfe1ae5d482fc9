// exit: 107
// log: Invalid metric name: 'x'
// hint: two characters
import { Counter } from 'k6/metrics';
const x = new Counter('x');
export default function () {}
