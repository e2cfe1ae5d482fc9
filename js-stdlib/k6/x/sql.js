// k6/x/sql: databases. Statements wait for their answer.
import { declare, open as openPool, run, close, timePart, text } from 'native:k6/x/sql';
import { call, primordials } from 'native:engine';

const { DatePrototypeToISOString, ObjectDefineProperty, String, Uint8Array } = primordials;

// The native resource is under this symbol; an object that has it stands for the resource wherever it is passed.
const NATIVE = primordials.SymbolFor('volley.native');

declare();

// A moment, with the methods of Go's time.Time.
class Time {
  #parts;
  constructor(parts) { this.#parts = parts; }
  unix() { return timePart(this.#parts, 'unix'); }
  unixMilli() { return timePart(this.#parts, 'unixMilli'); }
  unixMicro() { return timePart(this.#parts, 'unixMicro'); }
  unixNano() { return timePart(this.#parts, 'unixNano'); }
  year() { return timePart(this.#parts, 'year'); }
  month() { return timePart(this.#parts, 'month'); }
  day() { return timePart(this.#parts, 'day'); }
  hour() { return timePart(this.#parts, 'hour'); }
  minute() { return timePart(this.#parts, 'minute'); }
  second() { return timePart(this.#parts, 'second'); }
  nanosecond() { return timePart(this.#parts, 'nanosecond'); }
  weekday() { return timePart(this.#parts, 'weekday'); }
  yearDay() { return timePart(this.#parts, 'yearDay'); }
  format(layout) { return timePart(this.#parts, 'format', String(layout)); }
  string() { return timePart(this.#parts, 'string'); }
  toString() { return timePart(this.#parts, 'toString'); }
  toJSON() { return timePart(this.#parts, 'toJSON'); }
}

// What a moment is once it leaves the VU, in setup data.
ObjectDefineProperty(Time.prototype, primordials.SymbolFor('volley.data'), { __proto__: null, value() { return this.toJSON(); } });

// Bytes are an array of numbers; as a string it shows the text they stand for.
function bytesOf(buffer) {
  const view = new Uint8Array(buffer);
  const bytes = [];
  for (let at = 0; at < view.length; at++) define(bytes, at, view[at]);
  return ObjectDefineProperty(bytes, 'toString', { __proto__: null, value: () => text(buffer) });
}

function define(object, name, value) {
  ObjectDefineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

function valueOf(cell) {
  if (cell === null || typeof cell !== 'object') return cell;
  return cell.length === 3 ? new Time(cell) : bytesOf(cell);
}

function argumentsOf(given) {
  const values = [];
  for (let at = 0; at < given.length; at++) define(values, at, argumentOf(given[at]));
  return values;
}

function argumentOf(value) {
  if (typeof value === 'bigint') return String(value);
  if (value === null || typeof value !== 'object') return value;
  try {
    return { 'volley.date': call(DatePrototypeToISOString, value) };
  } catch {
    return value;
  }
}

function query(database, sql, args, timeout) {
  const { 0: names, 1: found } = run(database, 'query', String(sql), argumentsOf(args), timeout);
  const rows = [];
  for (let at = 0; at < found.length; at++) {
    const cells = found[at];
    const row = {};
    for (let column = 0; column < names.length; column++) define(row, names[column], valueOf(cells[column]));
    define(rows, at, row);
  }
  return rows;
}

function exec(database, sql, args, timeout) {
  const { 0: affected, 1: id } = run(database, 'exec', String(sql), argumentsOf(args), timeout);
  return {
    rowsAffected: () => affected,
    lastInsertId() {
      if (id !== null) return id;
      throw new GoError('LastInsertId is not supported by this driver');
    },
  };
}

class Database {
  constructor(native) { ObjectDefineProperty(this, NATIVE, { __proto__: null, value: native }); }
  query(sql, ...args) { return query(this, sql, args); }
  queryWithTimeout(timeout, sql, ...args) { return query(this, sql, args, String(timeout)); }
  exec(sql, ...args) { return exec(this, sql, args); }
  execWithTimeout(timeout, sql, ...args) { return exec(this, sql, args, String(timeout)); }
  close() { close(this); }
}

// A driver is a symbol, or an object that stands for one.
export function open(driver, dsn, options) {
  let symbol = driver;
  if ((typeof driver === 'object' && driver !== null) || typeof driver === 'function') symbol = driver.valueOf();
  const name = typeof symbol === 'symbol' ? String(symbol) : undefined;
  return new Database(openPool(name, String(dsn), options));
}

export default { open };
