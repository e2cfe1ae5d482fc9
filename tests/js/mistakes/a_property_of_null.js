// log: cannot read property 'name' of ...null: user.profile is ...null
export default function () {
  const user = { profile: null };
  console.log(user.profile.name);
}
