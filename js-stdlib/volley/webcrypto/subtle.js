// crypto.subtle. An expression, called with the native half, which does all but these: read what a script gives as an
// algorithm, and make keys and errors of what comes back.
((webcrypto, call, primordials) => {
const {
  ArrayBufferIsView: isView, DataView, Error, Number, ObjectDefineProperty, ObjectKeys, ObjectPrototype, ObjectSetPrototypeOf,
  ReflectApply, String, StringPrototypeIndexOf, StringPrototypeSlice, Uint8Array,
} = primordials;

// k6 takes the buffer a view shows a part of, and no DataView: Rust knows that by the empty list.
const whole = (value) => (isView(value) ? (value instanceof DataView ? [] : value.buffer) : value);

// What algorithms have, wherever an object has it from.
const names = [
  'name', 'hash', 'length', 'iv', 'counter', 'additionalData', 'tagLength', 'label', 'saltLength', 'namedCurve', 'public',
  'modulusLength', 'publicExponent', 'salt', 'iterations',
];
// Numbers are converted as the language does it; what is none counts as zero.
const numbers = { __proto__: null, length: 1, tagLength: 1, saltLength: 1, modulusLength: 1, iterations: 1 };
function number(value) {
  if (value === null) return value;
  const given = Number(value);
  return given - (given % 1) || 0;
}
const shaped = (name, value) => {
  if (name === 'hash') return algorithm(value);
  if (name === 'name' || name === 'namedCurve') return value === null ? value : String(value);
  return numbers[name] === 1 ? number(value) : whole(value);
};
const algorithm = (value) => {
  if (value === null || typeof value !== 'object') return value;
  const members = {};
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (value[name] !== undefined) members[name] = shaped(name, value[name]);
  }
  return members;
};

const as = (value) => value;
const list = (value) => {
  const texts = [];
  if (value instanceof primordials.Set) {
    call(primordials.SetPrototypeForEach, value, (one) => {
      texts[texts.length] = String(one);
    });
    return texts;
  }
  const length = value?.length ?? 0;
  for (let at = 0; at < length; at++) texts[at] = String(value[at]);
  return texts;
};

// A key is what Rust gave, with its facts on it.
const key = ({ native, ...facts }) => {
  const exponent = facts.algorithm.publicExponent;
  if (exponent) facts.algorithm.publicExponent = new Uint8Array(exponent);
  ObjectSetPrototypeOf(native, ObjectPrototype);
  const known = ObjectKeys(facts);
  for (let at = 0; at < known.length; at++) native[known[at]] = facts[known[at]];
  return native;
};
const made = (value) => {
  if (value.native) return key(value);
  if (value.privateKey) return { privateKey: key(value.privateKey), publicKey: key(value.publicKey) };
  return value;
};

// What promises reject with is no Error, but has a name and a message. Errors come from the script's own getters.
const refused = (error) => {
  if (error instanceof Error) return error;
  const text = String(error);
  const colon = call(StringPrototypeIndexOf, text, ': ');
  const name = call(StringPrototypeSlice, text, 0, colon < 0 ? 0 : colon);
  if (name === '' || call(StringPrototypeIndexOf, name, ' ') >= 0) return error;
  const message = call(StringPrototypeSlice, text, colon + 2);
  return ObjectDefineProperty({ name, message }, 'toString', { __proto__: null, value: () => text });
};

// Operations, and how each argument is given to Rust.
const operations = {
  encrypt: [algorithm, as, whole],
  decrypt: [algorithm, as, whole],
  sign: [algorithm, as, whole],
  verify: [algorithm, as, whole, whole],
  digest: [algorithm, whole],
  generateKey: [algorithm, Boolean, list],
  deriveKey: [algorithm, as, algorithm, Boolean, list],
  deriveBits: [algorithm, as, (length) => Number(length ?? 0)],
  importKey: [String, whole, algorithm, Boolean, list],
  exportKey: [String, as],
};
const subtle = {};
const operationNames = ObjectKeys(operations);
for (let at = 0; at < operationNames.length; at++) {
  const name = operationNames[at];
  subtle[name] = async (...given) => {
    try {
      const shapes = operations[name];
      const args = [name];
      for (let at = 0; at < shapes.length; at++) args[at + 1] = shapes[at](given[at]);
      return made(await ReflectApply(webcrypto, undefined, args));
    } catch (error) {
      throw refused(error);
    }
  };
}
subtle.wrapKey = () => webcrypto('wrapKey');
subtle.unwrapKey = () => webcrypto('unwrapKey');

return subtle;
})
