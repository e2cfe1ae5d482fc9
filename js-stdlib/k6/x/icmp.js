// k6/x/icmp: echo requests. What happens to them is asked for, one by one.
import { declare, start, next } from 'native:k6/x/icmp';
import * as natives from 'native:volley/globals';
import { once, call, primordials } from 'native:engine';

const { ObjectDefineProperty, PromisePrototypeThen, String } = primordials;

// The native resource is under this symbol; an object that has it stands for the resource wherever it is passed.
const NATIVE = primordials.SymbolFor('volley.native');

declare();

const bind = natives.propagatesContext() ? once('volley/async_context').bind : (handler) => handler;

function begin(target, options) {
  return ObjectDefineProperty({}, NATIVE, { __proto__: null, value: start(String(target), options) });
}

function icmpError(message) {
  const text = `ICMP error: ${message}`;
  return { __proto__: { __proto__: null, error: () => text, toString: () => text }, name: 'ICMPError', message };
}

export function ping(target, options) {
  const packets = begin(target, options);
  for (;;) {
    const told = next(packets, true);
    if (told.refused !== undefined) throw new GoError(told.refused);
    if (told.alive !== undefined) return told.alive;
  }
}

// A function of its own, not one that knows itself: what is left of a ping is then freed at once.
function follow(packets, tell, options) {
  return call(PromisePrototypeThen, next(packets, false), (told) => {
    if (told.refused !== undefined) throw icmpError(told.refused);
    if (told.alive !== undefined) return told.alive;
    if (tell !== undefined) {
      if (told.failed !== undefined) tell(icmpError(told.failed));
      else {
        if (options !== undefined) told.reply.options = options;
        tell(null, told.reply);
      }
    }
    return follow(packets, tell, options);
  });
}

export async function pingAsync(target, second, third) {
  const isHandler = typeof second === 'function';
  const handler = isHandler ? second : third;
  const tell = typeof handler === 'function' ? bind(handler) : undefined;
  const options = isHandler ? undefined : second;
  return follow(begin(target, options), tell, options);
}

export default { ping, pingAsync };
