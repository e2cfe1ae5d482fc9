// Pings of the loopback interface.
import { check } from 'k6';
import { ping, pingAsync } from 'k6/x/icmp';

export { begin, options, rest } from './lib/plan.js';

export default async function () {
  check(ping('127.0.0.1', { size: 100 }), { 'it answers': (alive) => alive });
  check(await pingAsync('127.0.0.1'), { 'it answers again': (alive) => alive });
}
