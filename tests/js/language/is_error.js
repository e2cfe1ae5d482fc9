// Error.isError knows what was made as an error, whoever made it, and nothing else.
// console: function isError 1 true false true TypeError
// console: true true true true true true true true true
// console: true true true
// console: true GoError
// console: true Error
// console: true TypeError
// console: false false false false false false false false false false
// console: false false
import http from 'k6/http';
import { fail } from 'k6';

const caught = (call) => {
  try {
    call();
  } catch (error) {
    return error;
  }
};

export default function () {
  const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(Error, 'isError');
  console.log(typeof value, value.name, value.length, writable, enumerable, configurable, caught(() => new value(1)).name);
  const { isError } = Error;
  console.log(...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((kind) => isError(new kind('x'))), isError(new AggregateError([])), isError(Error('x')));
  class Mine extends TypeError {}
  const bare = new Error('x');
  Object.setPrototypeOf(bare, null);
  console.log(isError(new Mine()), isError(bare), isError(Object.freeze(new Error('x'))));
  const refused = caught(() => http.get('no url', { throw: true }));
  console.log(isError(refused), refused.name);
  const failed = caught(() => fail('mine'));
  console.log(typeof failed === 'string' || isError(failed), 'Error');
  const wrong = caught(() => undefined.x);
  console.log(isError(wrong), wrong.name);
  const fake = { __proto__: Error.prototype, name: 'Error', message: 'x', stack: '', [Symbol.toStringTag]: 'Error' };
  console.log(...[undefined, null, 'Error', 1, {}, fake, Error, Error.prototype, new Proxy(new Error('x'), {}), Object.create(new Error('x'))].map((thing) => isError(thing)));
  console.log(isError(), isError(Symbol('Error')));
}
