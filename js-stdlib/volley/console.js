// console: turns values into k6's text; Rust logs it. A part. The code for objects comes when the first one is
// shown.
({ write }, { evaluate }) => {
let inspect;

function show(value) {
  switch (typeof value) {
    case 'string':
      return value;
    case 'object':
    case 'function':
    case 'symbol':
      inspect ??= evaluate('volley/inspect');
      return inspect(value);
    default:
      return String(value === 0 ? 0 : value);
  }
}

const method = (level) => (...values) => write(level, values.length === 1 ? show(values[0]) : values.map(show).join(' '));

return {
  log: method('info'), debug: method('debug'), info: method('info'), warn: method('warning'), error: method('error'),
};
}
