// What samples carry goes with asynchronous work: the feature async-metric-context. Rust keeps the contexts, and goes back to
// the one between two jobs whenever one ends; this half says under which a job runs. A lazy script, evaluated before any
// script where the feature is on.
({ captureContext, swapContext, resumeContext: restoreContext, prepareContext }, { asNative, call, primordials }) => {
const { ObjectDefineProperty, Promise, PromisePrototype, PromisePrototypeThen, PromiseResolve, ReflectApply } = primordials;
const { asyncIterator, iterator } = primordials.Symbol;
const isNothing = (value) => value === undefined || value === null;

// Reactions -----------------------------------------------------------------------------------------------------------

const reaction = (f, context) =>
  typeof f === 'function' ? (value) => { restoreContext(context); return f(value); } : f;

// `catch`, `finally` and all that takes thenables come here too.
function then(promise, onFulfilled, onRejected) {
  const context = captureContext();
  if (context !== undefined) {
    onFulfilled = reaction(onFulfilled, context);
    onRejected = reaction(onRejected, context);
  }
  return call(PromisePrototypeThen, promise, onFulfilled, onRejected);
}
ObjectDefineProperty(PromisePrototype, 'then', { __proto__: null, value: asNative('then', 2, then) });

// What is behind an `await` that is written so; there is no context in init code.
function resumeContext(value, context) {
  if (context !== undefined) restoreContext(context);
  return value;
}

// Listeners -----------------------------------------------------------------------------------------------------------

// A function that runs under the context of now whenever it is called; what was in force before is again after it.
function bind(f, self) {
  const context = captureContext();
  if (context === undefined) return f;
  return (...args) => {
    const outer = swapContext(context);
    try {
      return ReflectApply(f, self, args);
    } finally {
      swapContext(outer);
    }
  };
}

// What engines await by themselves ------------------------------------------------------------------------------------

// The promise that an engine makes of a value it awaits. The job that prepares the context of now comes right before the
// one that goes on.
function carry(value) {
  const promise = call(PromiseResolve, Promise, value);
  const context = captureContext();
  if (context !== undefined) {
    const ahead = () => prepareContext(context);
    call(PromisePrototypeThen, promise, ahead, ahead);
  }
  return promise;
}

// What `for await` and `yield*` take, with all its promises carried. What can't be iterated the engine refuses.
function iterate(iterable) {
  if (isNothing(iterable)) return iterable;
  const method = iterable[asyncIterator];
  if (!isNothing(method)) {
    return typeof method === 'function' ? carried(() => call(method, iterable), (result) => result) : iterable;
  }
  const plain = iterable[iterator];
  return typeof plain === 'function' ? carried(() => call(plain, iterable), awaitValue) : iterable;
}

function carried(open, make) {
  return {
    __proto__: null,
    [asyncIterator]() {
      const state = { __proto__: null, inner: open(), isClosed: false };
      const { next } = state.inner;
      const step = (f, args, closes) => carry(make(ReflectApply(f, state.inner, args), state, closes));
      const method = (name) => {
        const f = state.isClosed ? undefined : state.inner[name];
        if (isNothing(f)) return make === awaitValue ? lacking(name, state) : undefined;
        return typeof f === 'function' ? (...args) => step(f, args, name === 'throw') : f;
      };
      return {
        __proto__: null,
        next: (...args) => step(next, args, true),
        get return() {
          return method('return');
        },
        get throw() {
          return method('throw');
        },
      };
    },
  };
}

// A step of a plain iterator as an asynchronous one: its value is awaited, and where that fails it is closed.
function awaitValue(result, state, closes) {
  const done = !!result.done;
  const fail = (error) => {
    if (!done && closes) close(state);
    throw error;
  };
  let value;
  try {
    value = call(PromiseResolve, Promise, result.value);
  } catch (error) {
    fail(error);
  }
  return call(PromisePrototypeThen, value, (settled) => ({ value: settled, done }), fail);
}

// Closes a plain iterator, once.
function close(state) {
  state.isClosed = true;
  try {
    state.inner.return?.();
  } catch {
    // What failed first counts.
  }
}

// What a plain iterator lacks.
function lacking(name, state) {
  if (name === 'return') return (value) => carry({ value, done: true });
  return () => {
    if (!state.isClosed) close(state);
    throw new primordials.TypeError('iterator does not have a throw method');
  };
}

return { bind, captureContext, resumeContext, restoreContext, carry, iterate };
}
