// What can't be required throws, and can be caught.
// console: GoError: require() can't be used with an empty specifier
// console: GoError: The moduleSpecifier "lodash" couldn't be recognised as something k6 supports.
// console: GoError: The moduleSpecifier "./nope.js" couldn't be found on local disk....
// console: GoError: only supported schemes for imports are file and https, http://x/y.js has `http`
if (__VU === 0) for (const name of ['', 'lodash', './nope.js', 'http://x/y.js']) {
  try { require(name); } catch (error) { console.log(String(error)); }
}
exports.default = () => {};
