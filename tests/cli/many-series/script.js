import { Counter } from 'k6/metrics';
const counter = new Counter('mine');
export default function () {
  for (let i = 0; i < 100100; i += 1) counter.add(1, { i: String(i) });
}
