// log: n is not iterable
export default function () {
  const n = 5;
  for (const r of n) console.log(r);
}
