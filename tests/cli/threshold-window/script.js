import { sleep } from 'k6';
import exec from 'k6/execution';
import { Trend } from 'k6/metrics';
const slow = new Trend('slow_for_a_while'), steady = new Trend('steady');
export const options = {
    duration: '5s',
    thresholds: {
        slow_for_a_while: ['med<100', 'med<100 for 1s'],
        steady: ['med<100 for 1s', 'max<100 for 10m'],
    },
};
export default function () {
    const passed = Date.now() - exec.scenario.startTime;
    slow.add(passed > 2000 && passed < 3500 ? 500 : 1);
    steady.add(1);
    sleep(0.05);
}
