// `__ENV`: the variables as texts; assigning converts. A lazy script. What few scripts do with it is in another one.
(natives, { once, primordials }) => {
const { Proxy } = primordials;
const { getEnv, env, isFrozen } = natives;
if (isFrozen()) return primordials.ObjectFreeze(env());
return new Proxy({}, {
  __proto__: new Proxy({ __proto__: null }, { __proto__: null, get: (_, name) => once('volley/environment/traps', natives, primordials)[name] }),
  get: (_, key) => (typeof key === 'string' ? getEnv(key) ?? primordials.ObjectPrototype[key] : undefined),
});
}
