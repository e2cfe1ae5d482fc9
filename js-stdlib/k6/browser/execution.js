// Running functions in pages, and handles to what stays there. An expression, called with what the parts share.
(env) => {
const { call, primordials } = env;
const { BrowserError, hide, includes, map, messageOf, nothing, push, quiet, startsWith } = env.load('session');
const { BigInt, Number, String, StringPrototypeSlice } = primordials;

// The world of our own scripts in each frame: pages neither see nor change it.
const WORLD = '__volley_utility__';

// What a command says when its page has gone on.
const isGone = (error) => {
  const text = messageOf(error);
  return includes(text, 'Cannot find context') || includes(text, 'context was destroyed') || includes(text, 'navigated or closed') || includes(text, 'frame was detached');
};

// An argument of a function in a page. Everything else than handles and odd numbers travels as JSON.
function argumentOf(value) {
  if (value instanceof JSHandle) {
    if (value.isDisposed) throw new BrowserError('JSHandle is disposed');
    return value.objectId === undefined ? argumentOf(value.value) : { objectId: value.objectId };
  }
  if (typeof value === 'function') throw new BrowserError('functions can not be passed to a page');
  if (typeof value === 'bigint') return { unserializableValue: `${String(value)}n` };
  if (typeof value === 'number' && (value - value !== 0 || (value === 0 && 1 / value < 0))) {
    return { unserializableValue: value === 0 ? '-0' : String(value) };
  }
  return value === undefined ? {} : { value };
}

// The value of what a page gave. `undefined` and what is no number are null, as in k6.
function valueOf(remote) {
  if (remote.unserializableValue !== undefined) {
    const text = remote.unserializableValue;
    if (text === '-0') return -0;
    const digits = call(StringPrototypeSlice, text, 0, text.length - 1);
    return text[text.length - 1] === 'n' ? BigInt(digits) : text === 'NaN' ? null : Number(text);
  }
  return remote.value === undefined ? null : remote.value;
}

// What was thrown in a page: an error's text with its stack, or the text of what else it was.
function thrown(details) {
  const { exception, text } = details;
  const shown = exception === undefined ? text : exception.description ?? (exception.value === undefined ? exception.unserializableValue ?? exception.type : String(exception.value));
  return hide(new BrowserError(String(shown)), { isThrown: true, isSyntaxError: exception?.className === 'SyntaxError' && details.stackTrace === undefined });
}

// The text of a function as an expression: methods are written without the word.
function expressionOf(text) {
  return { plain: text, asMethod: startsWith(text, 'async ') ? `async function ${call(StringPrototypeSlice, text, 6)}` : `function ${text}` };
}

// A world of a frame in which functions run.
class ExecutionContext {
  constructor(frame, id, world, session, uniqueId) {
    hide(this, { frame, id, world, session, uniqueId, isDestroyed: false });
  }

  // Sends `Runtime.evaluate` or `Runtime.callFunctionOn` for this world. Its number may be that of another once the document has gone
  // to another process, where numbers begin anew.
  async send(method, params, isFree) {
    if (this.uniqueId !== undefined) params.uniqueContextId = this.uniqueId;
    else params[method === 'Runtime.evaluate' ? 'contextId' : 'executionContextId'] = this.id;
    try {
      return await this.session.send(method, params, isFree);
    } catch (error) {
      throw includes(messageOf(error), 'uniqueContextId not found') ? new BrowserError('Cannot find context with specified id') : error;
    }
  }

  // Runs a function, given as its text, with values or handles. By value: a promise of what it returns; else of a handle.
  async run(text, args, options) {
    return this.taken(await this.raw(text, map(args ?? [], argumentOf), options), options);
  }

  taken(remote, options) {
    return options?.byValue === false ? handleOf(this, remote) : valueOf(remote);
  }

  async raw(text, args, options) {
    if (this.isDestroyed) throw new BrowserError('Cannot find context with specified id');
    const reply = await this.send('Runtime.callFunctionOn', {
      functionDeclaration: text,
      arguments: args,
      returnByValue: options?.byValue !== false,
      awaitPromise: true,
      userGesture: true,
    }, options?.isFree);
    if (reply.exceptionDetails !== undefined) throw thrown(reply.exceptionDetails);
    return reply.result;
  }

  // As `taken`, for scripts: the text "undefined" is nothing, as in k6.
  given(remote, options) {
    const value = this.taken(remote, options);
    return value === 'undefined' ? null : value;
  }

  // As `run`, for what a script gives: a function, or a text that is one or an expression.
  async evaluate(given, args, options) {
    const sent = map(args, argumentOf);
    if (typeof given === 'function') {
      const { plain, asMethod } = expressionOf(String(given));
      try {
        return this.given(await this.raw(plain, sent, options), options);
      } catch (error) {
        if (!error.isSyntaxError && !includes(messageOf(error), 'does not evaluate to a function')) throw error;
        return this.given(await this.raw(asMethod, sent, options), options);
      }
    }
    const text = String(given);
    try {
      const wrapper = `function (...args) { const it = (${text}\n); return typeof it === 'function' ? it(...args) : it; }`;
      return this.given(await this.raw(wrapper, sent, options), options);
    } catch (error) {
      if (!error.isSyntaxError) throw error;
    }
    // Statements are none, but can be run.
    const reply = await this.send('Runtime.evaluate', { expression: text, returnByValue: options?.byValue !== false, awaitPromise: true, userGesture: true }, options?.isFree);
    if (reply.exceptionDetails !== undefined) throw thrown(reply.exceptionDetails);
    return this.given(reply.result, options);
  }
}

// Something that stays in a page.
class JSHandle {
  constructor(context, remote) {
    hide(this, { context, objectId: remote.objectId, value: remote.objectId === undefined ? valueOf(remote) : undefined, remote, isDisposed: false });
  }

  asElement() { return null; }

  async dispose() {
    if (this.isDisposed) return;
    this.isDisposed = true;
    if (this.objectId !== undefined) await quiet(this.context.session.send('Runtime.releaseObject', { objectId: this.objectId }));
  }

  evaluate(fn, ...args) { return evaluateWith(this, fn, args, true, 'evaluating element'); }
  evaluateHandle(fn, ...args) { return evaluateWith(this, fn, args, false, 'evaluating handle'); }

  async getProperties() {
    const names = await this.context.run('(o) => { const names = []; for (const name of Object.keys(Object(o))) names.push(name); return names; }', [this]);
    const found = {};
    for (let at = 0; at < names.length; at++) {
      found[names[at]] = await this.context.run('(o, name) => o[name]', [this, names[at]], { byValue: false });
    }
    return found;
  }

  async jsonValue() {
    return this.context.run('(o) => o', [this]);
  }

  toString() { return this.remote.description ?? String(this.value); }
}

// What `evaluate` of a handle does: its own thing is the first argument.
async function evaluateWith(handle, fn, args, byValue, context) {
  if (nothing(fn)) throw new GoError('evaluate requires a page function');
  const given = [handle];
  for (let at = 0; at < args.length; at++) push(given, args[at]);
  try {
    return await handle.context.evaluate(fn, given, { byValue });
  } catch (error) {
    throw new BrowserError(`${context}: ${messageOf(error)}`);
  }
}

// A handle of the right kind for what a page gave.
function handleOf(context, remote) {
  if (remote.subtype === 'node') {
    const { ElementHandle } = env.load('element_handle');
    return new ElementHandle(context, remote);
  }
  return new JSHandle(context, remote);
}

return { ExecutionContext, JSHandle, WORLD, argumentOf, evaluateWith, handleOf, isGone, thrown, valueOf };
}
