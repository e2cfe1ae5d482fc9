// exit: 107
// hint: did you mean "k6/metrics"?
import { Trend } from 'k6/metric';
export default function () {}
