// log: r.headers['content-type'] is undefined
// hint: `headers['Content-Type']`
export default function () {
  const r = { headers: { 'Content-Type': 'a' } };
  r.headers['content-type'].includes('json');
}
