// A variable seeds the faker that a script has without asking: every VU has the same values.
// args: -e XK6_FAKER_SEED=11
// console: true
// console: true
import faker, { Faker } from 'k6/x/faker';

export const options = { scenarios: { each: { executor: 'per-vu-iterations', vus: 2, iterations: 1 } } };

export default function () {
  console.log(faker.person.name() === new Faker(11).person.name());
}
