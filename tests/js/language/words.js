// Words are ordered as people order them, and quickly.
// console: apple,Apple,ärger,Berta,co-op,coop,émile,eve,Zoe
// console: -1 0 1 -1 1 -1 0 1
// console: 10000 true
// console: STRASSE ÅÄ é 2 TypeError
const words = ['Zoe', 'ärger', 'apple', 'Berta', 'émile', 'eve', 'Apple', 'coop', 'co-op'];
export default function () {
  console.log(words.sort((a, b) => a.localeCompare(b)).join());
  const pairs = [['a', 'B'], ['a', 'a'], ['résumé', 'resume'], ['a', 'A'], ['2', '10'], ['', 'a'], ['\u00e9', 'e\u0301'], ['日本', 'z']];
  console.log(pairs.map(([a, b]) => a.localeCompare(b)).join(' '));
  const many = [];
  for (let at = 0; at < 10000; at++) many.push(`${words[at % words.length]} ${(at * 7919) % 10007}`);
  many.sort((a, b) => a.localeCompare(b));
  console.log(many.length, many.every((word, at) => at === 0 || many[at - 1].localeCompare(word) <= 0));
  let refused;
  try {
    String.prototype.localeCompare.call(null, 'a');
  } catch (error) {
    refused = error.name;
  }
  console.log('straße'.toLocaleUpperCase(), 'åä'.toLocaleUpperCase(), 'e\u0301'.normalize(), '\u00e9'.normalize('NFD').length, refused);
}
