// A regular expression that can't be read has a place.
// exit: 107
// log: ...regexp_place.js:6...
export const fine = /a[/]b/g;

const broken = /a(/;
export default function () {
  return broken;
}
