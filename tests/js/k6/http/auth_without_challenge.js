// An answer without a challenge is an ordinary one; only Digest expected something else, and takes the password out of `url`.
// args: --summary-mode=disabled
// exit: 0
// console: ntlm 200 true
// console: basic 200 true
// console: digest 200 false
// console: 1050 true
import http from 'k6/http';

export const options = { thresholds: { 'http_req_failed{auth:ntlm}': ['rate==0'], 'http_req_failed{auth:digest}': ['rate==1'] } };

export default function () {
  const base = __ENV.URL.replace('http://', 'http://ann:pw@');
  for (const auth of ['ntlm', 'basic', 'digest']) {
    const r = http.get(`${base}/text`, { auth, tags: { auth } });
    console.log(auth, r.status, r.url.includes('pw@'));
  }
  // Without an answer the URL is the one that was asked for.
  const late = http.get(`${base}/hang`, { auth: 'digest', timeout: 100 });
  console.log(late.error_code, late.url.includes('pw@'));
}
