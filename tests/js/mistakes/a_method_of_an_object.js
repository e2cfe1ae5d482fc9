// log: user.login is not a function
export default function () {
  const user = {};
  user.login();
}
