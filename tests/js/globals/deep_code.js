// Code may be nested 1,000 deep, whatever it is nested in; what is too deep is an exception.
// console: arrays object
// console: objects object
// console: parentheses number
// console: functions number
// console: arrows function
// console: templates string
// console: calls number
// console: blocks undefined
// console: ifs undefined
// console: else ifs undefined
// console: branches number
// console: signs number
// console: sums number
// console: assignments number
// console: classes function
// console: patterns undefined
// console: too deep threw
const DEPTH = 1000;
const nested = (open, inner, close) => open.repeat(DEPTH) + inner + close.repeat(DEPTH);
const forms = {
  arrays: `return ${nested('[', '1', ']')}`,
  objects: `return ${nested('({a:', '1', '})')}`,
  parentheses: `return ${nested('(', '1', ')')}`,
  functions: `return ${nested('(function () { return ', '1', '; })()')}`,
  arrows: `return ${nested('() => ', '1', '')}`,
  templates: `return ${nested('`${', '1', '}`')}`,
  calls: `const f = (x) => x; return ${nested('f(', '1', ')')}`,
  blocks: nested('{', '', '}'),
  ifs: nested('if (1) ', ';', ''),
  'else ifs': `if (0) {} ${nested('else if (0) {} ', '', '')}`,
  branches: `return ${nested('0 ? 2 : ', '1', '')}`,
  signs: `return ${nested('- ', '1', '')}`,
  sums: `return 1${nested('+ 1 ', '', '')}`,
  assignments: `let a; return ${nested('a = ', '1', '')}`,
  classes: `return ${'class { static m() { return '.repeat(DEPTH / 4)}1${'; } }'.repeat(DEPTH / 4)}`,
  patterns: `const ${'['.repeat(200)}a${']'.repeat(200)} = ${nested('[', '1', ']')}`,
};
const threw = (work) => {
  try {
    work();
    return 'went';
  } catch (error) {
    return error instanceof RangeError || error instanceof SyntaxError || error instanceof Error ? 'threw' : String(error);
  }
};

export default function () {
  for (const [name, text] of Object.entries(forms)) console.log(name, typeof new Function(text)());
  console.log('too deep', threw(() => new Function(`return ${'['.repeat(1e6)}${']'.repeat(1e6)}`)));
}
