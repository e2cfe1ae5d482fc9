// What all scripts of soak.py have in common: VUs that work for a time and are then cut off, and a rest in which soak.py counts what
// they have left open.
import { sleep } from 'k6';

const SECONDS = Number(__ENV.SECONDS || 20);
const REST = 4;

export const options = {
  scenarios: {
    work: { executor: 'constant-vus', vus: Number(__ENV.VUS || 100), duration: `${SECONDS}s`, gracefulStop: '0s' },
    // soak.py counts the time from this line on.
    begin: { executor: 'per-vu-iterations', exec: 'begin', vus: 1, iterations: 1 },
    rest: { executor: 'per-vu-iterations', exec: 'rest', vus: 1, iterations: 1, startTime: `${SECONDS}s` },
  },
  insecureSkipTLSVerify: true,
};

export const begin = () => console.log('soak: began');

export function rest() {
  sleep(REST);
}

// Connections are opened and closed all the time: so many a second as addresses of this machine last for.
export const pause = () => sleep(Number(__ENV.PAUSE || 0.1));
