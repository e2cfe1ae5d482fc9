// console: turns values into k6's text; Rust logs it. A lazy script. The code for objects comes when the first one is
// shown.
({ write }, { evaluate, call, primordials }) => {
const { String } = primordials;
let inspect;

function show(value) {
  switch (typeof value) {
    case 'string':
      return value;
    case 'object':
    case 'function':
    case 'symbol':
      inspect ??= evaluate('volley/inspect')(call, primordials);
      return inspect(value);
    default:
      return String(value === 0 ? 0 : value);
  }
}

const method = (level) => (...values) => {
  let text = '';
  for (let at = 0; at < values.length; at++) text += at === 0 ? show(values[at]) : ` ${show(values[at])}`;
  write(level, text);
};

return {
  log: method('info'), debug: method('debug'), info: method('info'), warn: method('warning'), error: method('error'),
};
}
