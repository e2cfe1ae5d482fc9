// What can be done to `__ENV` besides reading a variable: the traps of its proxy. A lazy script.
({ getEnv, setEnv, deleteEnv, env }, { ObjectKeys, ObjectPrototype, String }) => ({
  __proto__: null,
  set: (_, key, value) => (setEnv(String(key), String(value)), true),
  has: (_, key) => (typeof key === 'string' && getEnv(key) !== undefined) || key in ObjectPrototype,
  deleteProperty: (_, key) => (deleteEnv(String(key)), true),
  ownKeys: () => ObjectKeys(env()),
  getOwnPropertyDescriptor: (_, key) => {
    const value = typeof key === 'string' ? getEnv(key) : undefined;
    return value === undefined ? undefined : { __proto__: null, value, writable: true, enumerable: true, configurable: true };
  },
  defineProperty: (_, key, descriptor) => (setEnv(String(key), String(descriptor.value)), true),
})
