// Where the script is. Every access asks anew, so values are always those of the present moment.
import * as native from 'native:k6/execution';

function facts(read, names) {
  // Where a fact can't be had, there is no object to look at either.
  read(names[0]);
  const object = {};
  for (const name of names) {
    Object.defineProperty(object, name, { get: () => read(name), enumerable: true, configurable: true });
  }
  return object;
}

// A live view of the VU's tags or metadata: reading shows them, assigning changes them.
function live(all, set, remove) {
  return new Proxy({}, {
    get: (_, key) => (typeof key === 'string' ? all()[key] : undefined),
    set: (_, key, value) => (set(String(key), value), true),
    has: (_, key) => key in all(),
    deleteProperty: (_, key) => (remove(String(key)), true),
    ownKeys: () => Object.keys(all()),
    getOwnPropertyDescriptor: (_, key) => {
      const value = all()[key];
      return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
    },
    defineProperty: (_, key, descriptor) => (set(String(key), descriptor.value), true),
  });
}

function freeze(value) {
  if (value !== null && typeof value === 'object') {
    Object.freeze(value);
    for (const key of Object.keys(value)) freeze(value[key]);
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
    Object.defineProperty(vu, 'tags', { get: tags, set() {}, enumerable: true, configurable: true });
    Object.defineProperty(vu, 'metrics', {
      get() {
        const metrics = {};
        Object.defineProperty(metrics, 'tags', { get: tags, enumerable: true, configurable: true });
        Object.defineProperty(metrics, 'metadata', {
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
for (const name of ['instance', 'scenario', 'test', 'vu']) {
  Object.defineProperty(execution, name, { get: () => readers[name], enumerable: true });
}

export default execution;

// Named imports answer at the moment of use, like the default object's properties.
function later(name) {
  return new Proxy({}, {
    get: (_, key) => Reflect.get(readers[name], key),
    set: (_, key, value) => Reflect.set(readers[name], key, value),
    has: (_, key) => key in readers[name],
    ownKeys: () => Reflect.ownKeys(readers[name]),
    getOwnPropertyDescriptor: (_, key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(readers[name], key);
      return descriptor && { ...descriptor, configurable: true };
    },
  });
}
export const instance = later('instance');
export const scenario = later('scenario');
export const test = later('test');
export const vu = later('vu');
