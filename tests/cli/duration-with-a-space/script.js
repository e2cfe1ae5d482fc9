import { sleep } from 'k6';

export const options = { stages: [{ duration: '23h 30m', target: 1 }, { duration: '5m', target: 0 }] };
export default function () {
  sleep(1);
}
