// log: SyntaxError: ...column 9
export default function () {
  JSON.parse('{"a": 1,}');
}
