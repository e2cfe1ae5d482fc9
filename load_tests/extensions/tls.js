// The certificate of a server, over and over.
import { check } from 'k6';
import tls from 'k6/x/tls';
import { pause } from './lib/plan.js';

export { begin, options, rest } from './lib/plan.js';

export default async function () {
  const certificate = await tls.getCertificate(`localhost:${__ENV.ECHO_TLS}`);
  check(certificate, { 'its name': ({ subject }) => subject.common_name === 'localhost' });
  pause();
}
