// k6/experimental/csv: a file as a table that all VUs share, or row by row.
import * as native from 'native:k6/experimental/csv';
import { view } from 'volley/shared_array';
import { primordials } from 'native:engine';

const NATIVE = primordials.SymbolFor('volley.native');

const missing = (value) => value === undefined || value === null;
const whole = (number) => (number - number === 0 ? number - (number % 1) : number || 0);
const line = (value) => (missing(value) ? undefined : whole(primordials.Number(value)));

// Options as Rust takes them: each in its own type, or not at all.
function plain(options) {
  if (missing(options)) return undefined;
  const { delimiter, skipFirstLine, fromLine, toLine, asObjects } = options;
  return {
    delimiter: missing(delimiter) ? undefined : primordials.String(delimiter),
    skipFirstLine: !!skipFirstLine,
    fromLine: line(fromLine),
    toLine: line(toLine),
    asObjects: !!asObjects,
  };
}

export const parse = async (file, options) => view(await native.parse(file, plain(options)));

const rows = {
  next() {
    return native.next(this);
  },
};

export function Parser(file, options) {
  return primordials.ObjectDefineProperty({ __proto__: rows }, NATIVE, { __proto__: null, value: native.parser(file, plain(options)) });
}

export default { parse, Parser };
