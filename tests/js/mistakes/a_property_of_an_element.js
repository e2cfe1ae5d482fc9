// log: cannot read property 'name' of undefined...: rows[i] is undefined
export default function () {
  const rows = [];
  const i = 3;
  console.log(rows[i].name);
}
