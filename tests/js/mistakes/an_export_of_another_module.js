// log: "k6/metrics" has no export named "SharedArray": "k6/data" has it (file://
import { SharedArray } from 'k6/metrics';
export default function () {}
