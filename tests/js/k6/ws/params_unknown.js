// Of the params only the names are read that mean something.
// console: 404
import ws from 'k6/ws';

export default function () {
  const params = { tags: { t: '1' }, headers: { a: 1 } };
  params.self = params;
  Object.defineProperty(params, 'trap', { enumerable: true, get() { throw new Error('nobody asked'); } });
  console.log(ws.connect(`${__ENV.URL.replace('http', 'ws')}/nothing/here`, params, () => {}).status);
}
