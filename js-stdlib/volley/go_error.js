// What Go code throws at scripts: an error whose `value` has Go's `error` method. A part.
() => {
class GoError extends Error {
  constructor(message) {
    super(message);
    Object.defineProperty(this, 'value', { value: { error: () => message }, enumerable: false, configurable: true });
  }
}
Object.defineProperty(GoError.prototype, 'name', { value: 'GoError', writable: true, configurable: true });
return GoError;
}
