// Patterns take a time that grows with the text, and all that is done with them gives what it always gives.
// console: false 0 null
// console: 3 60000 0
// console: {"year":"2024","month":"02"} 2024 undefined [[60000,60007],[60000,60004],[60005,60007],null]
// console: 2 -x-x-x 4
// console: yes:60000,no
// console: 1001 1000
// console: true 30001 false 0
// console: b true
// console: TypeError
const many = 'a'.repeat(60000);
export default function () {
  const loop = /^(a+)+$/g;
  console.log(loop.test(`${many}!`), loop.lastIndex, /^(a|aa)+$/.exec(`${many}b`));
  const parts = /(?:a*)*([bc])(d)?/g;
  const all = [...`${many}bcdb`.matchAll(parts)];
  console.log(all.length, all[0][0].length - 1, parts.lastIndex);
  const dated = /(?<year>\d+)-(?<month>\d+)(?:(x+x+)+y)?/d.exec(`${many.replace(/a/g, 'x')}2024-02${'x'.repeat(50)}`);
  console.log(JSON.stringify(dated.groups), dated[1], dated[3], JSON.stringify(dated.indices).replace(/\n/g, ''));
  const spaces = `x${' '.repeat(60000)}x${' '.repeat(3)}x`;
  console.log(spaces.match(/(\s+)+x/g).length, spaces.replace(/(\s*\s*)+(x)/g, '-$2'), `x${' '.repeat(300)}y x`.split(/(?:\s+)+y/).join().length);
  const said = `${many}!`.replace(/(a+)+!/, (whole, group, at, text) => `yes:${group.length},${at === 0 && text.length === 60001 ? 'no' : at}`);
  console.log(said);
  const lines = 'word word \n'.repeat(1000);
  console.log(lines.split(/(?:\s*\n\s*)+|(?:x+)+y/).length, lines.match(/^(?:\w+\s?)+$/gm).length);
  const sticky = /(?:b|a+)+c?/y;
  sticky.lastIndex = 1;
  const text = `-${'a'.repeat(30000)}`;
  console.log(sticky.test(text), sticky.lastIndex, /(?:a+)+x/y.test(text), /(?:a|a)*$/.exec(text).index - 1);
  const closed = `${'</b> '.repeat(2000)}//x`;
  console.log(/(?:<\/(\w+)>\s*)+[/]\/x/.exec(closed)[1], new RegExp('a+/b+$').test(`${'a'.repeat(3000)}/b`));
  try {
    RegExp.prototype.exec.call({}, 'a');
  } catch (error) {
    console.log(error.name);
  }
}
