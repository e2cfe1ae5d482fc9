// log: TypeError: ...forEach...function
export default function () {
  [1].forEach(undefined);
}
