// log: metrics must be declared in the init context
import { Trend } from 'k6/metrics';
export default function () { new Trend('a'); }
