// k6/x/dns: a server is asked for a name, or the system is. What fails at the server rejects with an object.
import { resolve as ask, lookup as find, declare } from 'native:k6/x/dns';
import { call, primordials } from 'native:engine';

const { PromisePrototypeThen, String } = primordials;

declare();

const text = (value) => (value === undefined || value === null ? '' : String(value));

// An answer is a list; what failed has a name, a message and a kind.
function open(answer) {
  if (answer.kind === undefined) return answer.addresses;
  const { name, message, kind } = answer;
  const words = `${name}: ${message}`;
  throw { __proto__: { __proto__: null, error: () => words, toString: () => words }, name, message, kind };
}

export const resolve = (query, recordType, nameserver) =>
  call(PromisePrototypeThen, ask(text(query), text(recordType), text(nameserver)), open);
export const lookup = (host) => call(PromisePrototypeThen, find(text(host)), open);
export default { resolve, lookup };
