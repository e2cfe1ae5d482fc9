// log: user.login is not a function
export default async function () {
  const user = {};
  await user.login();
}
