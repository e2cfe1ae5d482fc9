// crypto.subtle. An expression, called with the native half, which does all but these: read what a script gives as an
// algorithm, and make keys and errors of what comes back.
((webcrypto) => {
const { isView } = ArrayBuffer;

// k6 takes the buffer a view shows a part of, and no DataView: Rust knows that by the empty list.
const whole = (value) => (isView(value) ? (value instanceof DataView ? [] : value.buffer) : value);

// What algorithms have, wherever an object has it from.
const names = 'name hash length iv counter additionalData tagLength label saltLength namedCurve public modulusLength publicExponent salt iterations'.split(' ');
// Numbers are converted as the language does it; what is none counts as zero.
const numbers = 'length tagLength saltLength modulusLength iterations'.split(' ');
const number = (value) => (value === null ? value : Math.trunc(Number(value)) || 0);
const shaped = (name, value) => {
  if (name === 'hash') return algorithm(value);
  if (name === 'name' || name === 'namedCurve') return value === null ? value : String(value);
  return numbers.includes(name) ? number(value) : whole(value);
};
const algorithm = (value) => {
  if (value === null || typeof value !== 'object') return value;
  const members = {};
  for (const name of names) if (value[name] !== undefined) members[name] = shaped(name, value[name]);
  return members;
};

const as = (value) => value;
const list = (value) => Array.from(value ?? [], String);

// A key is what Rust gave, with its facts on it.
const key = ({ native, ...facts }) => {
  const exponent = facts.algorithm.publicExponent;
  if (exponent) facts.algorithm.publicExponent = new Uint8Array(exponent);
  return Object.assign(Object.setPrototypeOf(native, Object.prototype), facts);
};
const made = (value) => {
  if (value.native) return key(value);
  if (value.privateKey) return { privateKey: key(value.privateKey), publicKey: key(value.publicKey) };
  return value;
};

// What promises reject with is no Error, but has a name and a message. Errors come from the script's own getters.
const refused = (error) => {
  if (error instanceof Error) return error;
  const [text, name, message] = /^(\w+): ([^]*)$/.exec(error) ?? [];
  return text === undefined ? error : Object.defineProperty({ name, message }, 'toString', { value: () => text });
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
for (const name of Object.keys(operations)) {
  subtle[name] = async (...given) => {
    try {
      return made(await webcrypto(name, ...operations[name].map((shape, at) => shape(given[at]))));
    } catch (error) {
      throw refused(error);
    }
  };
}
for (const name of ['wrapKey', 'unwrapKey']) subtle[name] = () => webcrypto(name);

return subtle;
})
