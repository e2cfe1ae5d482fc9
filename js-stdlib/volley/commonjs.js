// CommonJS in one VU: each file runs once, and what it exports is seen by `require` and by `import`. Only scripts that
// have some load this.
import { findRequired } from 'native:volley/commonjs';
import { here } from 'native:volley/globals';
import { load } from 'native:engine';

const known = new Map();
// Of these `require` gives the default export, of the others an object of the named ones.
const SINGLE = ['k6/http', 'k6/html', 'k6/execution', 'k6/ws', 'k6/browser', 'k6/secrets'];
const builtins = new Map();

function builtin(address) {
  if (!builtins.has(address)) {
    const { default: single, ...named } = load(address);
    builtins.set(address, SINGLE.includes(address) ? single : named);
  }
  return builtins.get(address);
}

// `open()` counts from the file whose top level is running: while something is required, that is this.
function inside(url, work) {
  const outer = here(url);
  try {
    return work();
  } finally {
    here(outer);
  }
}

function run(url) {
  if (known.has(url)) return known.get(url);
  const module = { exports: {} };
  known.set(url, module);
  try {
    inside(url, () => load(url).call(module.exports, module, module.exports, (name) => require(name, url)));
  } catch (error) {
    known.delete(url);
    throw error;
  }
  if (module.exports === null || module.exports === undefined) throw new GoError("CommonJS's exports must not be null");
  return module;
}

export function require(name, base) {
  const { kind, address } = findRequired(name, base);
  if (kind === 'builtin') return builtin(address);
  if (kind === 'absent') return load(address).absent;
  if (kind === 'commonjs') return run(address).exports;
  return inside(undefined, () => load(address));
}

// What `import` sees of a file: its properties, at the moment they are read.
export function commonjs(url) {
  const module = run(url);
  let namespace;
  return {
    get exports() {
      return Object(module.exports);
    },
    get default() {
      const { exports } = module;
      return 'default' in Object(exports) ? exports.default : exports;
    },
    get namespace() {
      if (namespace === undefined) {
        namespace = Object.create(null, { [Symbol.toStringTag]: { value: 'Module' } });
        for (const name of Object.keys(module.exports).sort()) {
          Object.defineProperty(namespace, name, { get: () => module.exports[name], enumerable: true });
        }
        Object.preventExtensions(namespace);
      }
      return namespace;
    },
  };
}
