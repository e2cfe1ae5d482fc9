// `import.meta` can resolve, and nothing else.
// console: resolve undefined true
// console: GoError: The moduleSpecifier "k6/http" couldn't be recognised as something k6 supports.
export default function () {
  console.log(Object.keys(import.meta).join(), import.meta.url, import.meta.resolve('./data/function.js').endsWith('/modules/data/function.js'));
  try { import.meta.resolve('k6/http'); } catch (error) { console.log(String(error)); }
}
