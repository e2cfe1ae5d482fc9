// What Go code throws at scripts: an error whose `value` has Go's `error` method. A lazy script.
(_, { primordials }) => {
const { Error, ObjectDefineProperty } = primordials;
class GoError extends Error {
  constructor(message) {
    super(message);
    ObjectDefineProperty(this, 'value', { __proto__: null, value: { error: () => message }, enumerable: false, configurable: true });
  }
}
ObjectDefineProperty(GoError.prototype, 'name', { __proto__: null, value: 'GoError', writable: true, configurable: true });
return GoError;
}
