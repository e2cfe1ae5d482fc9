// Where the script is. Every access asks anew, so values are always those of the present moment.
import * as native from 'native:k6/execution';
import { primordials } from 'native:engine';

const { ObjectDefineProperty, ObjectFreeze, ObjectKeys, Proxy, String } = primordials;

function facts(read, names) {
  // Where a fact can't be had, there is no object to look at either.
  read(names[0]);
  const object = {};
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    ObjectDefineProperty(object, name, { __proto__: null, get: () => read(name), enumerable: true, configurable: true });
  }
  return object;
}

// A live view of the VU's tags or metadata: reading shows them, assigning changes them.
function live(all, set, remove) {
  return new Proxy({}, {
    __proto__: null,
    get: (_, key) => (typeof key === 'string' ? all()[key] : undefined),
    set: (_, key, value) => (set(String(key), value), true),
    has: (_, key) => key in all(),
    deleteProperty: (_, key) => (remove(String(key)), true),
    ownKeys: () => ObjectKeys(all()),
    getOwnPropertyDescriptor: (_, key) => {
      const value = all()[key];
      return value === undefined ? undefined : { __proto__: null, value, writable: true, enumerable: true, configurable: true };
    },
    defineProperty: (_, key, descriptor) => (set(String(key), descriptor.value), true),
  });
}

function freeze(value) {
  if (value !== null && typeof value === 'object') {
    ObjectFreeze(value);
    const keys = ObjectKeys(value);
    for (let at = 0; at < keys.length; at++) freeze(value[keys[at]]);
  }
  return value;
}

function text(message) {
  return message === undefined || message === null ? undefined : String(message);
}

const readers = {
  get instance() {
    return facts(native.instance, [
      'currentTestRunDuration', 'iterationsCompleted', 'iterationsInterrupted', 'vusActive', 'vusInitialized',
    ]);
  },
  get scenario() {
    return facts(native.scenario, [
      'name', 'executor', 'startTime', 'progress', 'iterationInInstance', 'iterationInTest',
    ]);
  },
  get test() {
    return {
      abort: (message) => native.abort(text(message), new Error().stack),
      fail: (message) => native.fail(text(message)),
      get options() {
        return freeze(native.options());
      },
    };
  },
  get vu() {
    const vu = facts(native.vu, ['idInInstance', 'idInTest', 'iterationInInstance', 'iterationInScenario']);
    const tags = () => live(native.tags, native.setTag, native.deleteTag);
    ObjectDefineProperty(vu, 'tags', { __proto__: null, get: tags, set() {}, enumerable: true, configurable: true });
    ObjectDefineProperty(vu, 'metrics', {
      __proto__: null,
      get() {
        const metrics = {};
        ObjectDefineProperty(metrics, 'tags', { __proto__: null, get: tags, enumerable: true, configurable: true });
        ObjectDefineProperty(metrics, 'metadata', {
          __proto__: null,
          get: () => live(native.metadata, native.setMetadata, native.deleteMetadata), enumerable: true, configurable: true,
        });
        return metrics;
      },
      enumerable: true,
      configurable: true,
    });
    return vu;
  },
};

const execution = {};
const show = (name) => ObjectDefineProperty(execution, name, { __proto__: null, get: () => readers[name], enumerable: true });
show('instance');
show('scenario');
show('test');
show('vu');

export default execution;

// Named imports answer at the moment of use, like the default object's properties.
function later(name) {
  return new Proxy({}, {
    __proto__: null,
    get: (_, key) => readers[name][key],
    set(_, key, value) {
      readers[name][key] = value;
      return true;
    },
    has: (_, key) => key in readers[name],
    ownKeys: () => ObjectKeys(readers[name]),
    getOwnPropertyDescriptor: (_, key) => {
      const descriptor = primordials.ObjectGetOwnPropertyDescriptor(readers[name], key);
      return descriptor && { __proto__: null, ...descriptor, configurable: true };
    },
  });
}
export const instance = later('instance');
export const scenario = later('scenario');
export const test = later('test');
export const vu = later('vu');
