// A variable seeds the faker that a script has without asking: every VU has the same values.
// args: --vus 2 --iterations 2 -e XK6_FAKER_SEED=11
// console: true
// console: true
import faker, { Faker } from 'k6/x/faker';

export default function () {
  console.log(faker.person.name() === new Faker(11).person.name());
}
