// Will the certificate last? Its dates are read whether it is valid or not. Needs TLS_HOST=host:port.
import { getCertificate } from 'k6/x/tls';
import { check } from 'k6';

const TLS_HOST = __ENV.TLS_HOST || 'localhost:443';
const DAYS = 14;

export const options = { vus: 1, iterations: 1, thresholds: { checks: ['rate==1'] } };

export default async function () {
  const certificate = await getCertificate(TLS_HOST);
  const left = (certificate.expires - Date.now()) / 86400000;
  check(certificate, {
    'is valid already': ({ issued }) => issued <= Date.now(),
    'lasts for two weeks': () => left > DAYS,
    'is for this host': ({ subject }) => TLS_HOST.startsWith(subject.common_name),
  });
}
