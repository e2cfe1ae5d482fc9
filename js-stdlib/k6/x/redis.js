// k6/x/redis: clients of Redis. All methods but one are alike: they are named by the native half.
import { client, command, methods, isConnected } from 'native:k6/x/redis';
import { primordials } from 'native:engine';

const { ObjectDefineProperty } = primordials;

// The native resource is under this symbol; an object that has it stands for the resource wherever it is passed.
const NATIVE = primordials.SymbolFor('volley.native');

export class Client {
  constructor(...options) {
    ObjectDefineProperty(this, NATIVE, { __proto__: null, value: client(options.length, options[0]) });
  }
  isConnected() {
    return isConnected(this);
  }
}

const names = methods();
for (let at = 0; at < names.length; at++) {
  ObjectDefineProperty(Client.prototype, names[at], {
    __proto__: null,
    value: { [names[at]](...args) { return command(this, at, args); } }[names[at]],
    writable: true,
    configurable: true,
  });
}

export default { Client };
