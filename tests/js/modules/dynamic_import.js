// `import()` is refused, with no Error but a text.
// console: dynamic modules not enabled in the host program false
export default function () {
  import('./data/esm.js').catch((reason) => console.log(String(reason), reason instanceof Error));
}
