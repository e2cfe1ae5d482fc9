// People and texts.
import { check } from 'k6';
import faker from 'k6/x/faker';

export { begin, options, rest } from './lib/plan.js';

export default function () {
  const person = faker.person.person();
  check(person, { 'it has a name': ({ first_name, contact }) => first_name.length > 0 && contact.email.includes('@') });
  check(faker.word.paragraph(2, 3, 8, '\n'), { 'it has lines': (text) => text.includes('\n') });
  check(faker.strings.uuid(), { 'it is long': (text) => text.length === 36 });
}
