// Suites that can't be spoken are refused before the run.
// exit: 104
// log: none of the `tlsCipherSuites` is available: TLS_RSA_WITH_AES_128_GCM_SHA256
export const options = { tlsCipherSuites: ['TLS_RSA_WITH_AES_128_GCM_SHA256'], tlsVersion: { max: 'tls1.2' } };
export default function () {
  console.log('never');
}
