// `__ENV`: the variables as texts; assigning converts. A part. What few scripts do with it is another one.
(natives, { once }) => {
const { getEnv, env, isFrozen } = natives;
if (isFrozen()) return Object.freeze(env());
return new Proxy({}, {
  __proto__: new Proxy({}, { get: (_, name) => once('volley/environment/traps', natives)[name] }),
  get: (_, key) => (typeof key === 'string' ? getEnv(key) ?? Object.prototype[key] : undefined),
});
}
