// Selections and elements as scripts see them: the native things themselves, with prototypes whose methods ask Rust by
// name. An expression, called with the native function that answers; it gives what puts a prototype under a thing.
((callNode) => {
const members = (kind) => callNode(undefined, 'volley.members', kind);

function methods(prototype, names) {
  for (const name of names) {
    const value = function (...list) {
      return dress(callNode(this, name, ...list));
    };
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
  return prototype;
}

const selection = methods({}, members());
const node = methods({}, members(''));
const elements = Object.create(null);

// Scripts find all that a thing has among its own properties, as with the objects of k6: the methods of its prototypes by name.
const own = new Map();
function methodsOf(prototype) {
  let all = own.get(prototype);
  if (all === undefined) {
    all = { __proto__: null };
    for (let from = prototype; from !== Object.prototype; from = Object.getPrototypeOf(from)) {
      for (const name of Object.getOwnPropertyNames(from)) if (name !== 'url') all[name] ??= from[name];
    }
    own.set(prototype, all);
  }
  return all;
}
const put = (value, prototype) => Object.assign(Object.setPrototypeOf(value, prototype), methodsOf(prototype));
const url = {
  get() {
    return callNode(this, 'volley.url');
  },
  enumerable: true,
  configurable: true,
};

// Things come without a prototype; all other objects have one.
function dress(value) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(dress);
  if (Object.getPrototypeOf(value) !== null) return value;
  const kind = callNode(value, 'volley.kind');
  if (kind === undefined) return Object.defineProperty(put(value, selection), 'url', url);
  if (kind === '') return put(value, node);
  return put(value, (elements[kind] ??= methods(Object.create(node), members(kind))));
}

// Selections -----------------------------------------------------------------------------------------------------

// What predicates see: a plainer kind of selection, which tells what is missing by a second value.
const plain = {
  __proto__: selection,
  attr(name) {
    const value = selection.attr.call(this, name);
    return [value ?? '', value !== undefined];
  },
  attrOr(name, fallback) {
    return selection.attr.call(this, name) ?? fallback;
  },
  html() {
    return [selection.html.call(this), null];
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
  callNode(self, 'toArray').forEach((one, at) => {
    if (predicate(at, Object.setPrototypeOf(one, plain))) chosen.push(at);
  });
  return chosen;
}

function withFunctions(name, byFunction) {
  const bySelector = selection[name];
  return function (wanted) {
    return typeof wanted === 'function' ? byFunction(this, wanted) : bySelector.call(this, wanted);
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
    this.get().forEach((element, at) => {
      try {
        callback.call(callback, at, element);
      } catch (error) {
        throw new GoError(`the function passed to each() failed: ${error}`);
      }
    });
    return this;
  },
  map(callback) {
    if (typeof callback !== 'function') throw new GoError('the argument to map() must be a function');
    const results = [];
    this.toArray().forEach((one, at) => {
      try {
        results.push(callback(at, one));
      } catch {
        // What throws is left out.
      }
    });
    return results;
  },
};
for (const name of Object.keys(more)) {
  Object.defineProperty(selection, name, { value: more[name], writable: true, configurable: true });
}
Object.defineProperty(selection, 'url', url);

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
  const all = attributes.call(this);
  for (const name of Object.keys(all)) all[name] = attribute(this, all[name]);
  return all;
};
node.getAttributeNode = function (name) {
  return attribute(this, getAttributeNode.call(this, String(name)));
};

return dress;
})
