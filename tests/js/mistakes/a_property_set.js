// log: cannot set property 'name' of undefined...: user.profile is undefined
export default function () {
  const user = {};
  user.profile.name = 'a';
}
