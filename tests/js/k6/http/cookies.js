// The jar of a VU remembers within an iteration and forgets between them; a request may add its own.
// args: --iterations 2
// console: null a=1; b=2
// console: a=1; b=2; c=3
// console: null a=1; b=2
// console: a=1; b=2; c=3
import http from 'k6/http';

export default function () {
  const sent = (params) => {
    const cookies = http.get(`${__ENV.URL}/cookies`, params).json();
    return cookies === null ? null : cookies.split('; ').sort().join('; ');
  };
  const before = sent();
  const answer = http.get(`${__ENV.URL}/cookies/set?a=1&b=2`);
  console.log(before, sent());
  if (answer.cookies.a[0].value !== '1') throw new Error('the answer has no cookie');
  console.log(sent({ cookies: { c: '3' } }));
}
