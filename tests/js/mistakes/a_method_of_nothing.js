// log: cannot read property 'list' of undefined...: api.v1.users is undefined
export default function () {
  const api = { v1: {} };
  api.v1.users.list();
}
