// `module` and `exports` are not for ES modules; even `typeof` throws.
// console: GoError: you are trying to access identifier "module", this likely is due to mixing ECMAScript Modules (ESM) and CommonJS syntax. This isn't supported in the JavaScript standard, please use only one or the other
// console: GoError
export default function () {
  try { typeof module; } catch (error) { console.log(String(error)); }
  try { exports.x = 1; } catch (error) { console.log(error.name); }
}
