// exit: 107
// log: Invalid metric name: 'my time'
// hint: `my_time` would be one
import { Trend } from 'k6/metrics';
const x = new Trend('my time');
export default function () {}
