// How far away is a host? Echo requests (ICMP) beside the load, with their round trips. PING_TARGET=host asks another one.
import { ping, pingAsync } from 'k6/x/icmp';
import { check } from 'k6';

const target = __ENV.PING_TARGET || '127.0.0.1';

export const options = { iterations: 2, thresholds: { icmp_rtt: ['p(95)<1000'], checks: ['rate==1'] } };

export default async function () {
  // Waits; true when all packets are answered.
  check(ping(target), { 'the host is there': (alive) => alive });
  const routers = [];
  const alive = await pingAsync(target, { count: 2, interval: '500ms', threshold: 50 }, (error, reply) => {
    if (error === null) routers.push(reply.ttl);
  });
  check(alive, { 'at least half is answered': (answer) => answer });
  check(routers, { 'answers say how far they came': (found) => found.length > 0 });
}
