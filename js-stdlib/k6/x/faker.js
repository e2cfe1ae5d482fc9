// k6/x/faker: made-up values. Categories and functions are named by the native half; what is not used is not made.
import { faker, fake, categories, members } from 'native:k6/x/faker';
import { primordials } from 'native:engine';

const { ObjectDefineProperty, ObjectKeys, Proxy, String, TypeError } = primordials;

// What is assigned is ignored, and `in` finds nothing, as k6 has it.
const traps = { __proto__: null, has: () => false, set: () => true, defineProperty: () => true, deleteProperty: () => true };

function category(native, name) {
  const target = {};
  const places = members(name);
  const names = ObjectKeys(places);
  for (let at = 0; at < names.length; at++) {
    const place = places[names[at]];
    let made;
    ObjectDefineProperty(target, names[at], {
      __proto__: null,
      get: () => (made ??= (...args) => (args.length === 0 ? fake(native, place) : fake(native, place, args))),
      enumerable: true,
      configurable: true,
    });
  }
  return new Proxy(target, traps);
}

export class Faker {
  constructor(seed) {
    const native = faker(seed);
    const target = {};
    const names = categories();
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      let made;
      ObjectDefineProperty(target, name, {
        __proto__: null,
        get: () => (made ??= category(native, name)),
        enumerable: true,
        configurable: true,
      });
    }
    let all;
    ObjectDefineProperty(target, 'call', {
      __proto__: null,
      value: (name, ...args) => {
        const place = (all ??= members('zen'))[name];
        if (place === undefined) throw new TypeError(`Object has no member '${String(name)}'`);
        return fake(native, place, args);
      },
      configurable: true,
    });
    return new Proxy(target, traps);
  }
}

export default new Faker(undefined);
