// log: cannot read property 'token' of undefined...: data is undefined
export default function (data) {
  console.log(data.token);
}
