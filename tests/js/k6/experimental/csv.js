// A CSV file as an array that all VUs share, or row by row; quotes and faults as Go has them.
// console: 4 ["id","name","city"] ["1","Ann \"A\"","Brno"] ["2","two\nlines","Praha"] ["3","žofie",""]
// console: true true false TypeError
// console: {"city":"Brno","id":"1","name":"Ann \"A\""} 3
// console: [["1","Ann \"A\"","Brno"],["2","two\nlines","Praha"]]
// console: [{"a":"2","b":"3"}]
// console: failed to read record; reason: record on line 3: wrong number of fields
// console: failed to create a new parser; reason: failed to read the first line; reason: EOF
// console: failed to create a new parser; reason: failed to skip lines until line 9; reason: EOF
// console: first argument expected to be a fs.File instance, got sobek.asciiString instead
// console: first argument expected to be a fs.File instance, got *sobek.Object instead
// console: GoError: csv Parser constructor takes at least one non-nil source argument
// console: GoError: first argument expected to be a fs.File instance, got sobek.valueInt instead
// console: GoError: encountered an error while interpreting Parser options; reason: delimiter must be a single character
// console: {"done":false,"value":{"id":"1","name":"Ann \"A\"","city":"Brno"}}
// console: {"done":false,"value":{"id":"2","name":"two\nlines","city":"Praha"}}
// console: {"done":false,"value":{"id":"3","name":"žofie","city":""}}
// console: {"done":true,"value":[]} {"done":true,"value":[]}
// console: {"done":false,"value":["1","2"]} record on line 3: wrong number of fields {"done":false,"value":["5","6"]} true
// console: 2 Praha
// console: GoError: csv Parser constructor must be called in the init context
import { open } from 'k6/experimental/fs';
import csv, { parse, Parser } from 'k6/experimental/csv';

const people = await open('data/people.csv');
const ragged = await open('data/ragged.csv');
const [all, objects] = await Promise.all([parse(people), csv.parse(await open('data/people.csv'), { asObjects: true })]);
const some = await parse(await open('data/people.csv'), { fromLine: 1, toLine: 2 });
const twice = await parse(await open('data/twice.csv'), { delimiter: ';', asObjects: true });
const why = async (call) => {
  try {
    return JSON.stringify(await call());
  } catch (error) {
    return error.message;
  }
};
const because = (call) => {
  try {
    call();
  } catch (error) {
    return String(error);
  }
};
const faults = [
  await why(() => parse(ragged)),
  await why(async () => parse(await open('data/empty.txt'), { asObjects: true })),
  await why(async () => parse(await open('data/people.csv'), { fromLine: 9 })),
  await why(() => parse('data/people.csv')),
  await why(() => parse({})),
  because(() => new Parser()),
  because(() => new Parser(5)),
  because(() => new Parser(ragged, { delimiter: '' })),
];
const rows = new Parser(await open('data/people.csv'), { asObjects: true });
const broken = new csv.Parser(await open('data/ragged.csv'), { skipFirstLine: true });

export default async function () {
  console.log(all.length, ...all.map((row) => JSON.stringify(row)));
  let name;
  try {
    all[1][0] = 'x';
  } catch (error) {
    ({ name } = error);
  }
  console.log(Array.isArray(all), Object.isFrozen(all[0]), all[0] === all[0], name);
  console.log(JSON.stringify(objects[0]), objects.length);
  console.log(JSON.stringify(some));
  console.log(JSON.stringify(twice));
  for (const fault of faults) console.log(fault);
  for (let i = 0; i < 3; i++) console.log(JSON.stringify(await rows.next()));
  console.log(JSON.stringify(await rows.next()), JSON.stringify(await rows.next()));
  console.log(await why(() => broken.next()), await why(() => broken.next()), await why(() => broken.next()), (await broken.next()).done);
  // A table may be read while VUs run, too: from where the handle stands.
  await people.seek(0, 0);
  const late = await parse(people, { asObjects: true, toLine: 2 });
  console.log(late.length, late[1].city);
  console.log(because(() => new Parser(people)));
}
