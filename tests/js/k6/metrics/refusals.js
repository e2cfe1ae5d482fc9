// A metric needs a fitting name, its own type, and the init code.
// console: true
// console: true
// console: true
import { Counter, Trend } from 'k6/metrics';

const attempt = (make) => {
  try {
    make();
    return 'nothing was thrown';
  } catch (error) {
    return String(error);
  }
};
new Counter('used');
const badName = attempt(() => new Counter('not a name'));
const twice = attempt(() => new Trend('used'));
export default function () {
  console.log(badName.includes("Invalid metric name: 'not a name'"));
  console.log(twice.includes("metric 'used' already exists but with type counter, instead of trend"));
  console.log(attempt(() => new Counter('late')).includes('metrics must be declared in the init context'));
}
