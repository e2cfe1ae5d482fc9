// Half of a pair of surrogates is a character of its own in JSON, as in the language.
// console: 1 d83d
// console: d83d:8
// console: dc00 d83d
// console: 2 true
// console: SyntaxError SyntaxError
const hex = (text) => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16)).join(' ');

export default function () {
  const one = JSON.parse('"\\ud83d"');
  console.log(one.length, hex(one));
  console.log(Object.entries(JSON.parse('{"\\ud83d":8}')).map(([name, value]) => `${hex(name)}:${value}`).join());
  console.log(hex(JSON.parse('["\\udc00\\ud83d"]')[0]));
  console.log(JSON.parse('"\\ud83d\\ude00"').length, JSON.parse(JSON.stringify('\ud83d')) === '\ud83d');
  const wrong = (text) => {
    try {
      return JSON.parse(text);
    } catch (error) {
      return error.name;
    }
  };
  console.log(wrong('"\\ud83'), wrong('"\\u12g4"'));
}
