// Around the label of a TextDecoder only blanks of ASCII are cut.
// console: utf-8 utf-16le utf-8 RangeError RangeError RangeError RangeError
export default function () {
  const label = (text) => {
    try {
      return new TextDecoder(text).encoding;
    } catch (error) {
      return error.name;
    }
  };
  console.log([' utf-8\n', '\tUTF-16LE\r', '\futf8 ', '\u00a0utf-8', '\u000butf-8', 'utf-8\ufeff', 'utf-8\u2003'].map(label).join(' '));
}
