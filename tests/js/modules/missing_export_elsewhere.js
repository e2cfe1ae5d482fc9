// The name of a file is told whole, also where another one passes names on. What is passed on is not missing, a default is.
// console: 1
// console: SyntaxError: The requested module "./has_one_name.js" does not provide an export named "default"
// console: SyntaxError: The requested module "./has_one_name.js" does not provide an export named "nope"
if (__VU === 0) {
  console.log(require('./data/passes_on.js').yes);
  for (const file of ['./data/wants_default.js', './data/passes_on_nothing.js']) {
    try { require(file); } catch (error) { console.log(String(error)); }
  }
}
exports.default = () => {};
