// log: cannot read property 'name' of undefined...: user.profile is undefined
export default function () {
  const user = {};
  console.log(user.profile.name);
}
