// log: usr is not defined
export default function () {
  console.log(usr);
}
