// How console shows what is no text: k6's format. An expression, evaluated when a VU first needs it and called with what
// the language had before scripts ran.
((call, primordials) => {
const {
  ArrayIsArray, DatePrototypeGetTime, DatePrototypeToISOString, Error, ObjectGetOwnPropertyDescriptor,
  ObjectGetPrototypeOf, ObjectKeys, ObjectPrototype, ObjectPrototypeToString, String, StringPrototypeSlice, Uint8Array,
} = primordials;
const { SymbolToStringTag: toStringTag } = primordials;
const TypedArray = ObjectGetPrototypeOf(Uint8Array);
const tag = (value) => call(StringPrototypeSlice, call(ObjectPrototypeToString, value), 8, -1);

function isNaN(date) {
  const ms = call(DatePrototypeGetTime, date);
  return ms !== ms;
}

function isError(value) {
  return value instanceof Error || tag(value) === 'Error';
}

function typedArrayName(value) {
  const name = value[toStringTag];
  return name === 'Uint8ClampedArray' ? 'Uint8Array' : name;
}

const DIGITS = '0123456789abcdef';
function hex(buffer) {
  const bytes = new Uint8Array(buffer);
  let text = '';
  for (let at = 0; at < bytes.length; at++) {
    text += (at === 0 ? '' : ' ') + DIGITS[bytes[at] >> 4] + DIGITS[bytes[at] & 15];
  }
  return text;
}

// `count` items between two signs.
function list(count, item, open, close) {
  if (count === 0) return open + close;
  let text = open;
  for (let at = 0; at < count; at++) text += (at === 0 ? ' ' : ', ') + item(at);
  return `${text} ${close}`;
}

// True if a value is one of those around.
function includes(ancestors, value) {
  for (let one = ancestors; one !== undefined; one = one.outer) if (one.value === value) return true;
  return false;
}

function nested(value, ancestors) {
  switch (typeof value) {
    case 'string':
      return `"${value}"`;
    case 'undefined':
      return 'null';
    case 'function':
      return '[object Function]';
    case 'symbol':
      return value.description ?? '';
    case 'object':
      return value === null ? 'null' : object(value, ancestors);
    default:
      return String(value === 0 ? 0 : value);
  }
}

function object(value, ancestors) {
  if (includes(ancestors, value)) return '[Circular]';
  if (isError(value)) return String(value);
  const inner = { __proto__: null, value, outer: ancestors };
  if (ArrayIsArray(value)) {
    if (ObjectGetPrototypeOf(value) === null) return '{}';
    return list(value.length, (at) => nested(value[at], inner), '[', ']');
  }
  if (value instanceof TypedArray) {
    const name = typedArrayName(value);
    return `${name}(${value.length}) ${list(value.length, (at) => String(value[at]), '[', ']')}`;
  }
  switch (tag(value)) {
    case 'Date':
      return isNaN(value) ? '{}' : `"${call(DatePrototypeToISOString, value)}"`;
    case 'ArrayBuffer':
      return `ArrayBuffer { [Uint8Contents]: <${hex(value)}>, byteLength: ${value.byteLength} }`;
    case 'DataView':
    case 'RegExp':
    case 'Map':
    case 'Set':
    case 'WeakMap':
    case 'WeakSet':
    case 'Promise':
      return '{}';
  }
  const keys = ObjectKeys(value);
  return list(keys.length, (at) => `${keys[at]}: ${nested(value[keys[at]], inner)}`, '{', '}');
}

function top(value) {
  switch (typeof value) {
    case 'string':
      return value;
    case 'object':
      if (value === null) return 'null';
      return hasOwnText(value) ? String(value) : object(value, undefined);
    case 'function':
      return '[object Function]';
    case 'symbol':
      return value.description ?? '';
    default:
      return String(value === 0 ? 0 : value);
  }
}

// Rejections of native functions are no errors, but print as their text.
function hasOwnText(value) {
  return !ArrayIsArray(value) && ObjectGetPrototypeOf(value) === ObjectPrototype && isHostError(value);
}
function isHostError(value) {
  const own = ObjectGetOwnPropertyDescriptor(value, 'toString');
  return own !== undefined && !own.enumerable;
}

return top;
})
