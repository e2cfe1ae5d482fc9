// log: api.v1.list is not a function
export default function () {
  const api = { v1: {} };
  api.v1.list();
}
