// log: TypeError: f is not a function
export default function () {
  const f = undefined;
  f();
}
