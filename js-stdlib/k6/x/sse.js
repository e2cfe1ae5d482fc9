// k6/x/sse: a stream of events, for which the VU waits. The loop is here; what arrives is read in Rust.
import { declare, begin, next, finish } from 'native:k6/x/sse';
import { call, primordials } from 'native:engine';

const { String } = primordials;

declare();

export function open(url, ...rest) {
  const handler = rest[rest.length - 1];
  if (rest.length < 1 || rest.length > 2) throw new GoError('invalid number of arguments to sse.open');
  if (typeof handler !== 'function') throw new GoError('last argument to sse.open must be a function');
  const opened = begin(String(url), rest.length === 2 ? rest[0] : undefined);
  if (opened.stream === undefined) return opened.response;
  const stream = opened.stream;
  const handlers = { __proto__: null };
  let isClosed = false;
  const emit = (name, given) => {
    const list = handlers[name];
    for (let at = 0; list !== undefined && at < list.length; at++) call(list[at], undefined, given);
  };
  const client = {
    on(name, listener) {
      const list = (handlers[String(name)] ??= []);
      list[list.length] = listener;
    },
    close() {
      isClosed = true;
    },
  };
  try {
    call(handler, undefined, client);
    emit('open');
    while (!isClosed) {
      const came = next(stream);
      if (came === undefined) break;
      if (came.event !== undefined) emit('event', came.event);
      else {
        const { failed, isLast } = came;
        if (isLast) opened.response.error = failed;
        emit('error', { __proto__: { __proto__: null, error: () => failed, toString: () => failed }, message: failed });
        if (isLast) break;
      }
    }
  } finally {
    finish(stream);
  }
  return opened.response;
}

export default { open };
