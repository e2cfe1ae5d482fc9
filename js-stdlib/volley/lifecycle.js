// What happens to values on their way out of a script: options, setup data, the summary's return value.

// What can't be written as JSON is refused with this before the reason.
let about = '';

// A script's options as JSON, by the rules of setup's result: what is no JSON is refused wherever it stands.
export function exportOptions(options) {
  about = 'error parsing script options';
  return JSON.stringify(plain(options, []));
}

// Setup's result as JSON, by k6's rules: undefined properties are null, dates RFC 3339 without an empty fraction,
// maps lists of pairs, bytes base64.
export function encodeData(data) {
  about = 'error marshaling setup() data to JSON';
  return data === undefined ? undefined : JSON.stringify(plain(data, new Set()));
}

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
function toBase64(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b, c] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    text += base64[a >> 2] + base64[((a & 3) << 4) | ((b ?? 0) >> 4)];
    text += b === undefined ? '=' : base64[((b & 15) << 2) | ((c ?? 0) >> 6)];
    text += c === undefined ? '=' : base64[c & 63];
  }
  return text;
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
      return Number(value);
    case 'number':
      if (!Number.isFinite(value)) refuse(`unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
      return value;
    case 'function':
      return refuse('unsupported type: func(sobek.FunctionCall) sobek.Value');
    case 'object':
      return value === null ? null : plainObject(value, ancestors);
    default:
      return value;
  }
}

const DATA = Symbol.for('volley.data');

function plainObject(value, ancestors) {
  if (ancestors.has(value)) refuse('unsupported value: encountered a cycle via map[string]interface {}');
  // Our own objects know what of them is data.
  if (typeof value[DATA] === 'function') return plain(value[DATA](), ancestors);
  ancestors.add(value);
  const result = members(value, ancestors);
  ancestors.delete(value);
  return result;
}

function members(value, inner) {
  if (Array.isArray(value)) return Array.from(value, (item) => plain(item, inner));
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? null : value.toISOString().replace(/\.000Z$/, 'Z').replace(/(\.\d+?)0+Z$/, '$1Z');
  }
  if (value instanceof Map) return Array.from(value, (pair) => pair.map((item) => plain(item, inner)));
  if (value instanceof Set) return Array.from(value, (item) => plain(item, inner));
  if (value instanceof Uint8Array) return toBase64(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value, Number);
  if (value instanceof ArrayBuffer || value instanceof RegExp || value instanceof Error || value instanceof Promise) return {};
  const result = {};
  for (const key of Object.keys(value)) result[key] = plain(value[key], inner);
  return result;
}

// The data of a summary may hold infinite numbers, written as numbers too big for a float; one of the engines refuses
// to parse those, but takes them in a program.
const evaluate = eval;
function parseSummary(json) {
  try {
    return JSON.parse(json);
  } catch {
    return evaluate(`(${json})`);
  }
}

// Calls handleSummary with the data; what it returns must be a map of texts and bytes.
export function summarize(handle, json) {
  const data = parseSummary(json);
  // The key is always there, also when nothing was set up. The machine-readable shape has no such key.
  if ('root_group' in data && !('setup_data' in data)) data.setup_data = undefined;
  return handle(data);
}
