// How console shows what is no text: k6's format. An expression, evaluated when a VU first needs it.
(() => {
const TypedArray = Object.getPrototypeOf(Uint8Array);
const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);

function isError(value) {
  return value instanceof Error || tag(value) === 'Error';
}

function typedArrayName(value) {
  const name = value[Symbol.toStringTag];
  return name === 'Uint8ClampedArray' ? 'Uint8Array' : name;
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function list(items, open, close) {
  return items.length === 0 ? open + close : `${open} ${items.join(', ')} ${close}`;
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
  if (ancestors.includes(value)) return '[Circular]';
  if (isError(value)) return String(value);
  const inner = ancestors.concat([value]);
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) === null) return '{}';
    return list(Array.from(value, (item) => nested(item, inner)), '[', ']');
  }
  if (value instanceof TypedArray) {
    const name = typedArrayName(value);
    return `${name}(${value.length}) ${list(Array.from(value, String), '[', ']')}`;
  }
  switch (tag(value)) {
    case 'Date':
      return Number.isNaN(value.getTime()) ? '{}' : `"${value.toISOString()}"`;
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
  return list(Object.keys(value).map((key) => `${key}: ${nested(value[key], inner)}`), '{', '}');
}

function top(value) {
  switch (typeof value) {
    case 'string':
      return value;
    case 'object':
      if (value === null) return 'null';
      return hasOwnText(value) ? String(value) : object(value, []);
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
  return !Array.isArray(value) && Object.getPrototypeOf(value) === Object.prototype && isHostError(value);
}
function isHostError(value) {
  const own = Object.getOwnPropertyDescriptor(value, 'toString');
  return own !== undefined && !own.enumerable;
}

return top;
})()
