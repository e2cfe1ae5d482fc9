// Of a compressed body that is damaged remains what could be read before.
// console: gzip 0 1000 unexpected EOF true
// console: deflate 0 1000 unexpected EOF true
// console: br 0 1000 unexpected EOF true
// console: zstd 0 1000 unexpected EOF false
// console: gzip+br 0 1000 unexpected EOF true
// console: gzip 0 1701 error decompressing response body (unexpected EOF) null
// console: gzip 0 1701 error decompressing response body (gzip: invalid header) null
// console: br 0 1000 unexpected EOF
// console: one two one two
// console: 200 true
import http from 'k6/http';

const lines = Array.from({ length: 2000 }, (_, at) => `line ${at} ${(at * 7919) % 1009}\n`).join('');
const asIs = (coding, missing, body) => http.post(`${__ENV.URL}/encoded/${coding}/${missing}`, body);

function packed(coding, missing, body) {
  return http.post(`${__ENV.URL}/encoded/${coding}/${missing}`, body, { compression: coding.replace('+', ',') });
}

export default function () {
  for (const coding of ['gzip', 'deflate', 'br', 'zstd', 'gzip+br']) {
    const r = packed(coding, 12, lines);
    console.log(coding, r.status, r.error_code, r.error, r.body.length > 1000 && lines.startsWith(r.body));
  }
  for (const [coding, body] of [['gzip', 'ok'], ['gzip', 'not packed at all']]) {
    const r = asIs(coding, 0, body);
    console.log(coding, r.status, r.error_code, r.error, r.body);
  }
  const short = asIs('br', 0, 'ok');
  console.log('br', short.status, short.error_code, short.error + short.body);
  // An unknown coding leaves the body to those before it.
  console.log(packed('gzip', 0, 'one two').body, http.post(`${__ENV.URL}/encoded/gzip+x-own/0`, 'one two', { compression: 'gzip' }).body);
  const whole = packed('zstd', 0, lines.repeat(20));
  console.log(whole.status, whole.body === lines.repeat(20));
}
