// What the first pass did not ask for, later VUs can't have.
// console: GoError: the module "./data/function.js" was not previously resolved during initialization (__VU==0)
// console: GoError: the module "k6/metrics" was not previously resolved during initialization (__VU==0)
if (__VU > 0) {
  for (const name of ['./data/function.js', 'k6/metrics']) {
    try { require(name); } catch (error) { console.log(String(error)); }
  }
}
exports.default = () => {};
