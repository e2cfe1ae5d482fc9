// log: cannot destructure the argument { name }: it is undefined or null
function show({ name }) {
  return name;
}
export default function () {
  show();
}
