// What happens to values on their way out of a script: options, setup data, the summary's return value.

import { encodeBase64 } from 'native:volley/lifecycle';
import { call, primordials } from 'native:engine';

// What can't be written as JSON is refused with this before the reason.
let about = '';

// A script's options as JSON, by the rules of setup's result: what is no JSON is refused wherever it occurs.
export function exportOptions(options) {
  about = 'error parsing script options';
  return primordials.JSONStringify(plain(options, new primordials.Set()));
}

// Setup's result as JSON, by k6's rules: undefined properties are null, dates RFC 3339 without an empty fraction,
// maps lists of pairs, bytes base64.
export function encodeData(data) {
  about = 'error marshaling setup() data to JSON';
  return data === undefined ? undefined : primordials.JSONStringify(plain(data, new primordials.Set()));
}

const refuse = (what) => {
  throw new GoError(`${about}: json: ${what}`);
};

function plain(value, ancestors) {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'symbol':
      return value.description ?? '';
    case 'bigint':
      return primordials.Number(value);
    case 'number':
      if (value - value !== 0) refuse(`unsupported value: ${value !== value ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
      return value;
    case 'function':
      return refuse('unsupported type: func(sobek.FunctionCall) sobek.Value');
    case 'object':
      return value === null ? null : plainObject(value, ancestors);
    default:
      return value;
  }
}

const DATA = primordials.SymbolFor('volley.data');
// What is an object without members to Go.
const opaque = [primordials.ArrayBuffer, primordials.RegExp, primordials.Error, primordials.Promise];

// RFC 3339, without zeros behind the seconds.
function date(value) {
  const ms = call(primordials.DatePrototypeGetTime, value);
  if (ms !== ms) return null;
  const text = call(primordials.DatePrototypeToISOString, value);
  let end = text.length - 1;
  while (text[end - 1] === '0' && end > text.length - 4) end--;
  if (text[end - 1] === '.') end--;
  return `${call(primordials.StringPrototypeSlice, text, 0, end)}Z`;
}

function plainObject(value, ancestors) {
  if (call(primordials.SetPrototypeHas, ancestors, value)) {
    refuse('unsupported value: encountered a cycle via map[string]interface {}');
  }
  // Our own objects know what of them is data.
  if (typeof value[DATA] === 'function') return plain(value[DATA](), ancestors);
  call(primordials.SetPrototypeAdd, ancestors, value);
  const result = members(value, ancestors);
  call(primordials.SetPrototypeDelete, ancestors, value);
  return result;
}

function members(value, inner) {
  const list = [];
  const add = (item) => {
    list[list.length] = plain(item, inner);
  };
  if (primordials.ArrayIsArray(value)) {
    for (let at = 0; at < value.length; at++) add(value[at]);
    return list;
  }
  if (value instanceof primordials.Date) return date(value);
  if (value instanceof primordials.Map) {
    call(primordials.MapPrototypeForEach, value, (item, key) => {
      list[list.length] = [plain(key, inner), plain(item, inner)];
    });
    return list;
  }
  if (value instanceof primordials.Set) {
    call(primordials.SetPrototypeForEach, value, add);
    return list;
  }
  if (value instanceof primordials.Uint8Array) return encodeBase64(value);
  if (primordials.ArrayBufferIsView(value) && !(value instanceof primordials.DataView)) {
    for (let at = 0; at < value.length; at++) list[at] = primordials.Number(value[at]);
    return list;
  }
  for (let at = 0; at < opaque.length; at++) if (value instanceof opaque[at]) return {};
  const result = {};
  const keys = primordials.ObjectKeys(value);
  for (let at = 0; at < keys.length; at++) result[keys[at]] = plain(value[keys[at]], inner);
  return result;
}

// The data of a summary may hold infinite numbers, written as numbers too big for a float; one of the engines refuses
// to parse those, but takes them in a program.
const evaluate = eval;
function parseSummary(json) {
  try {
    return primordials.JSONParse(json);
  } catch {
    return evaluate(`(${json})`);
  }
}

// Names that older scripts read: not enumerable, not in JSON, and never in the place of something else.
function defineHidden(object, aliases) {
  const names = primordials.ObjectKeys(aliases);
  for (let at = 0; at < names.length; at++) {
    if (names[at] in object) continue;
    const value = aliases[names[at]];
    primordials.ObjectDefineProperty(object, names[at], { __proto__: null, value, writable: true, configurable: true });
  }
}

// Calls handleSummary with the data; what it returns must be a map of texts and bytes.
export function summarize(handle, json, aliases) {
  const data = parseSummary(json);
  if (aliases !== undefined) {
    const more = parseSummary(aliases);
    const names = primordials.ObjectKeys(more);
    for (let at = 0; at < names.length; at++) {
      const metric = data.metrics[names[at]];
      defineHidden(metric.values, more[names[at]].within);
      defineHidden(metric, more[names[at]].beside);
    }
  }
  // The key is always there, also when nothing was set up. The machine-readable shape has no such key.
  if ('root_group' in data && !('setup_data' in data)) data.setup_data = undefined;
  return handle(data);
}
