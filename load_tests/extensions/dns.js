// Questions to a DNS server of all kinds it answers.
import { check } from 'k6';
import dns from 'k6/x/dns';
import { pause } from './lib/plan.js';

export { begin, options, rest } from './lib/plan.js';

export default async function () {
  // One after the other: a server drops datagrams that come all at once.
  const four = await dns.resolve('soak.test', 'A', __ENV.DNS);
  const six = await dns.resolve('soak.test', 'AAAA', __ENV.DNS);
  const text = await dns.resolve('soak.test', 'TXT', __ENV.DNS);
  const none = await dns.resolve('nobody.invalid', 'A', __ENV.DNS).catch((error) => error.name);
  check(four, { 'its address': (found) => found[0] === '10.0.0.1' });
  check(six, { 'its long address': (found) => found[0] === 'fd00::1' });
  check(text, { 'its text': (found) => found[0] === 'hello' });
  check(none, { 'nobody is not there': (name) => name === 'NonExistingDomain' });
  pause();
}
