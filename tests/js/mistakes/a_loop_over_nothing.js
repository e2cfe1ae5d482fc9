// log: user.roles is not iterable: it is undefined
export default function () {
  const user = {};
  for (const r of user.roles) console.log(r);
}
