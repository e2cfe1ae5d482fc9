import { sleep } from 'k6';
export const options = {
    duration: '1s',
    thresholds: { volley_lag: ['p(99)<60000'], 'volley_lag{thread:network}': ['max<60000'] },
};
export default () => sleep(0.1);
