// Made-up records instead of the same one: each iteration files another. `-e XK6_FAKER_SEED=1` repeats a run's values.
import faker from 'k6/x/faker';
import { check } from 'k6';
import { Api } from './lib/api.js';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = { vus: 2, iterations: 10, thresholds: { checks: ['rate==1'] } };

export default function () {
  const api = Api.login(BASE_URL);
  const made = api.post('/api/v1/risks', {
    title: `${faker.company.company()}: ${faker.word.sentence(4)}`,
    impact: faker.numbers.intRange(1, 5),
    probability: faker.numbers.intRange(1, 5),
  });
  check(made, { created: (r) => r.status === 201 });
  const owner = faker.person.person();
  check(owner, { 'has an address': ({ contact }) => contact.email.includes('@') });
}
