// console: turns values into k6's text; Rust logs it. The code for objects comes when the first one is shown.
import { write, inspectSource } from 'native:volley/console';

let inspect;

function show(value) {
  switch (typeof value) {
    case 'string':
      return value;
    case 'object':
    case 'function':
    case 'symbol':
      inspect ??= (0, eval)(inspectSource());
      return inspect(value);
    default:
      return String(value === 0 ? 0 : value);
  }
}

const method = (level) => (...values) => write(level, values.length === 1 ? show(values[0]) : values.map(show).join(' '));

export const console = {
  log: method('info'), debug: method('debug'), info: method('info'), warn: method('warning'), error: method('error'),
};
