// CommonJS in one VU: each file runs once, and what it exports is seen by `require` and by `import`. Only scripts that
// have some load this.
import { findRequired } from 'native:volley/commonjs';
import { here, propagatesContext } from 'native:volley/globals';
import { load, once, call, primordials } from 'native:engine';

const { Object, ObjectDefineProperty, ObjectKeys } = primordials;
const { SymbolToStringTag: toStringTag } = primordials;
const known = { __proto__: null };
// Of these `require` gives the default export, of the others an object of the named ones.
const SINGLE = ['k6/http', 'k6/html', 'k6/execution', 'k6/ws', 'k6/browser', 'k6/secrets'];
const builtins = { __proto__: null };

function isSingle(address) {
  for (let at = 0; at < SINGLE.length; at++) if (SINGLE[at] === address) return true;
  return false;
}

function builtin(address) {
  if (!(address in builtins)) {
    const { default: single, ...named } = load(address);
    builtins[address] = isSingle(address) ? single : named;
  }
  return builtins[address];
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

// Functions that wait call what keeps the context of their samples, where the feature async-metric-context is on.
function runIn(module, file, require) {
  const { exports } = module;
  if (!propagatesContext()) return call(file, exports, module, exports, require);
  const { captureContext, resumeContext, restoreContext, carry, iterate } = once('volley/async_context');
  return call(file, exports, module, exports, require, captureContext, resumeContext, restoreContext, carry, iterate);
}

function run(url) {
  if (url in known) return known[url];
  const module = { exports: {} };
  known[url] = module;
  try {
    inside(url, () => runIn(module, load(url), (name) => require(name, url)));
  } catch (error) {
    delete known[url];
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

function sorted(names) {
  for (let end = 1; end < names.length; end++) {
    const name = names[end];
    let at = end;
    for (; at > 0 && names[at - 1] > name; at--) names[at] = names[at - 1];
    names[at] = name;
  }
  return names;
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
        namespace = ObjectDefineProperty({ __proto__: null }, toStringTag, { __proto__: null, value: 'Module' });
        const names = sorted(ObjectKeys(module.exports));
        for (let at = 0; at < names.length; at++) {
          const name = names[at];
          ObjectDefineProperty(namespace, name, { __proto__: null, get: () => module.exports[name], enumerable: true });
        }
        primordials.ObjectFreeze(namespace);
      }
      return namespace;
    },
  };
}
