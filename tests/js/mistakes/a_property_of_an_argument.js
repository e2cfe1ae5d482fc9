// log: cannot read property 'name' of undefined...: user is undefined
function show(user) {
  return user.name;
}
export default function () {
  show();
}
