import { Trend, Counter } from 'k6/metrics';
const time = new Trend('time'), size = new Trend('size'), count = new Counter('count');
export const options = {
    iterations: 3,
    thresholds: {
        time: ['p(95)<=baseline*1.1', 'avg<baseline+3'],
        size: ['max<=baseline*1.1'],
        'count{a:b}': ['count==baseline'],
    },
};
export default function () {
    time.add(Number(__ENV.VALUE));
    size.add(7);
    count.add(2, { a: 'b' });
}
