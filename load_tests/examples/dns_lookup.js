// How long do names take? The system's resolver is asked; with DNS_SERVER=10.0.0.2:53 a server of one's own is, too.
import { lookup, resolve } from 'k6/x/dns';
import { check } from 'k6';

const NAME = __ENV.NAME || 'localhost';

export const options = {
  vus: 2,
  iterations: 10,
  thresholds: { dns_lookup_duration: ['p(50)<10000'], dns_lookup_failed: ['rate<=0.5'], checks: ['rate==1'] },
};

export default async function () {
  check(await lookup(NAME), { 'has addresses': (addresses) => addresses.length > 0 });
  if (__ENV.DNS_SERVER) {
    check(await resolve(NAME, 'A', __ENV.DNS_SERVER), { 'the server knows it': (addresses) => addresses.length > 0 });
  }
  // A name that is not there is a rejected promise with a name of its own.
  const missing = await lookup('nobody.invalid').catch((error) => error);
  check(missing, { 'nobody is not there': (error) => error.name === 'LookupFailed' });
}
