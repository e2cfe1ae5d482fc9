// The place in a TypeError is the line that it is about.
// console: file://.../lines_of_what_is_nothing.js:9
// console: file://.../lines_of_what_is_nothing.js:14
// console: file://.../lines_of_what_is_nothing.js:20
const place = (error) => console.log(/file:[^\s)]*js:\d+/.exec(error.stack)[0]);

function first(user) {
  const age = 1;
  return user.name + age;
}

const second = (team) => {
  const head = team.list[0];
  const { name } = head.profile;
  return name;
};

function third(user) {
  let sum = 0;
  for (const role of user.roles) {
    sum += role;
  }
  return sum;
}

export default function () {
  try { first(); } catch (error) { place(error); }
  try { second({ list: [{}] }); } catch (error) { place(error); }
  try { third({}); } catch (error) { place(error); }
}
