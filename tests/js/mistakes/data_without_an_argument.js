// log: data is not defined
// hint: what `setup()` returns is an argument
export function setup() {
  return { token: 'a' };
}
export default function () {
  console.log(data.token);
}
