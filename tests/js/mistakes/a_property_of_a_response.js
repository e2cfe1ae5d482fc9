// log: cannot read property 'length' of undefined...: r.data is undefined
import http from 'k6/http';

export default function () {
  const r = http.get(__ENV.URL);
  console.log(r.data.length);
}
