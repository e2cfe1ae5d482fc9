// args: --iterations 4
// log: cannot read property 'size' of undefined...: r.data is undefined
// log: cannot read property 'page' of undefined...: r.next is undefined
// log: cannot read property 'length' of undefined...: r.user is undefined
// log: cannot read property 'id' of undefined...: r.list()[0] is undefined
const wrong = [
  (r) => r.data.size() > 0 && r.status === 200,
  (r) => r.next.page() ? true : false,
  (r) => r.user.length > 2 || r.status === 200,
  (r) => r.list()[0].id === 3,
];
export default function () {
  wrong[__ITER]({ list: () => [] });
}
