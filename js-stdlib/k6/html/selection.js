// Selections and elements as scripts see them: the native things themselves, with prototypes whose methods ask Rust by
// name. An expression, called with the native function that answers; it gives what puts a prototype under a thing.
((callNode, { call, primordials }) => {
const {
  ArrayIsArray, ObjectDefineProperty, ObjectGetOwnPropertyNames, ObjectGetPrototypeOf, ObjectKeys, ObjectPrototype,
  ObjectSetPrototypeOf, ReflectApply, String, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet,
} = primordials;
const members = (kind) => callNode(undefined, 'volley.members', kind);

// Calls the native function with a list of any length.
function callAs(self, name, list) {
  const all = [self, name];
  for (let at = 0; at < list.length; at++) all[at + 2] = list[at];
  return ReflectApply(callNode, undefined, all);
}

function methods(prototype, names) {
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    const value = function (...list) {
      return dress(callAs(this, name, list));
    };
    ObjectDefineProperty(prototype, name, { __proto__: null, value, writable: true, configurable: true });
  }
  return prototype;
}

const selection = methods({}, members());
const node = methods({}, members(''));
const elements = { __proto__: null };

// Scripts find all that a thing has among its own properties, as with the objects of k6: the methods of its prototypes by name.
const own = new WeakMap();
function methodsOf(prototype) {
  let all = call(WeakMapPrototypeGet, own, prototype);
  if (all === undefined) {
    all = { __proto__: null };
    for (let from = prototype; from !== ObjectPrototype; from = ObjectGetPrototypeOf(from)) {
      const names = ObjectGetOwnPropertyNames(from);
      for (let at = 0; at < names.length; at++) if (names[at] !== 'url') all[names[at]] ??= from[names[at]];
    }
    call(WeakMapPrototypeSet, own, prototype, all);
  }
  return all;
}
function put(value, prototype) {
  ObjectSetPrototypeOf(value, prototype);
  const all = methodsOf(prototype);
  const names = ObjectKeys(all);
  for (let at = 0; at < names.length; at++) value[names[at]] = all[names[at]];
  return value;
}
const url = {
  __proto__: null,
  get() {
    return callNode(this, 'volley.url');
  },
  enumerable: true,
  configurable: true,
};

// Things come without a prototype; all other objects have one.
function dress(value) {
  if (value === null || typeof value !== 'object') return value;
  if (ArrayIsArray(value)) {
    for (let at = 0; at < value.length; at++) value[at] = dress(value[at]);
    return value;
  }
  if (ObjectGetPrototypeOf(value) !== null) return value;
  const kind = callNode(value, 'volley.kind');
  if (kind === undefined) return ObjectDefineProperty(put(value, selection), 'url', url);
  if (kind === '') return put(value, node);
  return put(value, (elements[kind] ??= methods({ __proto__: node }, members(kind))));
}

// Selections -----------------------------------------------------------------------------------------------------

// What predicates see: a plainer kind of selection, which tells what is missing by a second value.
const plain = {
  __proto__: selection,
  attr(name) {
    const value = call(selection.attr, this, name);
    return [value ?? '', value !== undefined];
  },
  attrOr(name, fallback) {
    return call(selection.attr, this, name) ?? fallback;
  },
  html() {
    return [call(selection.html, this), null];
  },
  hasClass(name) {
    return this.is(`.${name}`);
  },
  length() {
    return this.size();
  },
};

// The places at which a predicate is true.
function places(self, predicate) {
  const chosen = [];
  const all = callNode(self, 'toArray');
  for (let at = 0; at < all.length; at++) {
    if (predicate(at, ObjectSetPrototypeOf(all[at], plain))) chosen[chosen.length] = at;
  }
  return chosen;
}

function withFunctions(name, byFunction) {
  const bySelector = selection[name];
  return function (wanted) {
    return typeof wanted === 'function' ? byFunction(this, wanted) : call(bySelector, this, wanted);
  };
}

const more = {
  filter: withFunctions('filter', (self, test) => dress(callNode(self, 'volley.keep', places(self, test), true))),
  not: withFunctions('not', (self, test) => dress(callNode(self, 'volley.keep', places(self, test), false))),
  is: withFunctions('is', (self, test) => places(self, test).length > 0),
  attr(name, fallback) {
    const value = callNode(this, 'attr', String(name));
    return value === undefined ? fallback : value;
  },
  each(callback) {
    if (typeof callback !== 'function') throw new GoError('the argument to each() must be a function');
    const elements = this.get();
    for (let at = 0; at < elements.length; at++) {
      try {
        call(callback, callback, at, elements[at]);
      } catch (error) {
        throw new GoError(`the function passed to each() failed: ${error}`);
      }
    }
    return this;
  },
  map(callback) {
    if (typeof callback !== 'function') throw new GoError('the argument to map() must be a function');
    const results = [];
    const all = this.toArray();
    for (let at = 0; at < all.length; at++) {
      try {
        results[results.length] = callback(at, all[at]);
      } catch {
        // What throws is left out.
      }
    }
    return results;
  },
};
const moreNames = ObjectKeys(more);
for (let at = 0; at < moreNames.length; at++) {
  const name = moreNames[at];
  ObjectDefineProperty(selection, name, { __proto__: null, value: more[name], writable: true, configurable: true });
}
ObjectDefineProperty(selection, 'url', url);

// Attributes -----------------------------------------------------------------------------------------------------

const attribute = (element, found) => found && {
  owner_element: element,
  name: found.name,
  value: found.value,
  prefix: () => '',
  localName: () => found.name,
  namespaceURI: () => element.namespaceURI(),
};
const { attributes, getAttributeNode } = node;
node.attributes = function () {
  const all = call(attributes, this);
  const names = ObjectKeys(all);
  for (let at = 0; at < names.length; at++) all[names[at]] = attribute(this, all[names[at]]);
  return all;
};
node.getAttributeNode = function (name) {
  return attribute(this, call(getAttributeNode, this, String(name)));
};

return dress;
})
