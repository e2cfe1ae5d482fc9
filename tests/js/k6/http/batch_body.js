// A batch of objects: who says GET means no body, who says nothing may mean one.
// console: GET
// console: GET kept
// console: GET kept
// console: POST kept
import http from 'k6/http';

export default function () {
  const url = `${__ENV.URL}/echo`;
  const list = [{ method: 'get', url, body: 'dropped' }, { url, body: 'kept' }, ['GET', url, 'kept'], { method: 'POST', url, body: 'kept' }];
  for (const r of http.batch(list)) console.log(`${r.json('method')} ${r.json('body')}`.trim());
}
