// log: cannot destructure user.profile: it is undefined or null...default (...
export default function () {
  const user = {};
  const { name } = user.profile;
}
