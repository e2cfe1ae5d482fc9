// exit: 107
// log: cannot read property 'forEach' of undefined...: users is undefined
const users = undefined;
users.forEach((u) => u);
export default function () {}
