// log: user.roles is not iterable: it is undefined
export default function () {
  const user = {};
  console.log([...user.roles]);
}
