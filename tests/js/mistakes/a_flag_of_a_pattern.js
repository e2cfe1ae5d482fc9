// log: SyntaxError: invalid regular expression flag...a_flag_of_a_pattern.js:
export default function () {
  new RegExp('a', 'gz');
}
