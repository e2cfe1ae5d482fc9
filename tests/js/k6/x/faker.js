// Made-up values: by category, through `zen` and `call`; the same again for a seed.
// console: 29 true true
// console: true true undefined false
// console: TypeError: Object has no member 'nothing'
// console: TypeError: missing parameter: max
// console: GoError: strconv.ParseInt: parsing "x": invalid syntax
// console: string number boolean true true string
// console: first_name,last_name,gender,ssn,image,hobby,job,address,contact,credit_card
// console: true true true
// console: true 303
import faker, { Faker } from 'k6/x/faker';

const early = faker.person.firstName();

function tried(work) {
  try { return String(work()); } catch (error) { return String(error); }
}

export default function () {
  const names = Object.keys(faker);
  console.log(names.length, names.includes('zen'), names.join() === [...names].sort().join());
  const [a, b, c] = [new Faker(11), new Faker(11), new Faker(12)];
  const list = (one) => JSON.stringify([one.person.person(), one.zen.uuid(), one.call('username'), one.word.paragraph(2, 3, 4)]);
  const [first, again, other] = [list(a), list(b), list(c)];
  faker.person.firstName = 5;
  faker.nothing = 5;
  console.log(first === again, first !== other, faker.nothing, 'person' in faker);
  console.log(tried(() => faker.call('nothing')));
  console.log(tried(() => faker.zen.intRange(1)));
  console.log(tried(() => faker.zen.intRange('x', 2)));
  console.log(typeof faker.zen.randomString(['foo', 'bar']), typeof faker.numbers.int8(), typeof faker.numbers.boolean(),
    Array.isArray(faker.color.niceColors()), /^0x[0-9a-f]{64}$/.test(faker.numbers.hexUint256()), typeof early);
  console.log(Object.keys(faker.person.person()).join());
  const teams = faker.person.teams(['a', 'b', 'c', 'd'], ['x', 'y']);
  console.log([...teams.x, ...teams.y].sort().join() === 'a,b,c,d', faker.game.dice(3, [1]).join() === '1,1,1',
    /^[a-z]{20}$/.test(faker.internet.password(true, false, false, false, false, 20)));
  let missing = 0;
  const needed = { digitN: [3], letterN: [3], lexify: ['?'], numerify: ['#'], teams: [['a'], ['b']] };
  const ranges = ['float32Range', 'float64Range', 'intRange'];
  const lists = ['randomInt', 'randomUint', 'shuffleInts', 'randomString', 'shuffleStrings'];
  for (const name of Object.keys(faker.zen)) {
    const args = needed[name] ?? (ranges.includes(name) ? [1, 2] : lists.includes(name) ? [[1, 2]] : []);
    const value = faker.call(name, ...args);
    if (value === undefined || value === '' || value === null) missing++;
  }
  console.log(missing === 0, Object.keys(faker.zen).length);
}
