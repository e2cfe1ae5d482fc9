// log: TypeError: ...'total'
export default function () {
  const total = 1;
  total = 2;
}
