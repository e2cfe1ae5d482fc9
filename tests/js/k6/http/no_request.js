// What a response can do for which no request was made: its body is empty, not null. Without an answer it is null.
// console: 1020 0 0 threw threw threw
// console: 1212 threw threw threw threw threw
import http from 'k6/http';

const or = (f) => {
  try {
    return f();
  } catch {
    return 'threw';
  }
};

export default function () {
  for (const r of [http.get('https:// bad.host/'), http.get('http://127.0.0.1:1/')]) {
    const tries = [() => r.html().find('a').size(), () => r.html('p').size(), () => r.json(), () => r.submitForm(), () => r.clickLink()];
    console.log(r.error_code, ...tries.map(or));
  }
}
