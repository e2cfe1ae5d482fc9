// log: TypeError: c
export default function () {
  const a = {};
  a.a = a;
  JSON.stringify(a);
}
