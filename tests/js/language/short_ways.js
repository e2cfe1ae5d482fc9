// What engines do in shorter ways nobody can tell from the long ones: flags of regular expressions, new members of objects and lists,
// a character in a text. What is expected is what V8 says.
// console: all flags: ["","dgimsuy","v","gi"]
// console: a flag of its own: "g"
// console: its own, and none: ""
// console: a subclass: "iy"
// console: no regular expression: "dsv"
// console: a proxy: "gi"
// console: without a prototype: ""
// console: no object: TypeError
// console: getters of others: ["y","g","","-x"]
// console: one that throws: RangeError
// console: one that is gone: ["","u"]
// console: replaced: ["a+b+c","a+b-c","aX1bx3"]
// console: names again: {"0":7,"1":4,"a":3,"b":6,"01":5}
// console: __proto__: [["y"],1,["__proto__"]]
// console: setters of a prototype: {"watched":1,"other":2}
// console: a getter before it: {"a":2}
// console: a field: {"7":8,"a":1,"b":2}
// console: a field of what is fixed: TypeError
// console: a field of what is frozen: TypeError
// console: a field of a list: ["0","field"]
// console: a field of a proxy: TypeError
// console: a field of bytes: ["0","field"]
// console: many: [{"a":1,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10},3]
// console: setters of lists: [["a","b"],["a","a",null],[4,2],[1,2]]
// console: a list of one length: TypeError
// console: a frozen list: TypeError
// console: a list that has some: [1]
// console: a list with holes: [1,2]
// console: a read-only element: TypeError
// console: another class: ["a","b"]
// console: split: [["a","b","","c"],[""],["a","b","c"],["a","b",""],["a","b"]]
// console: found: [2,1,-1,1,5,-1,2,-1]
const say = (what, make) => {
  let text;
  try {
    text = JSON.stringify(make());
  } catch (error) {
    text = error.name;
  }
  console.log(`${what}: ${text}`);
};

export default function () {
  const flagsOf = Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags').get;
  const getterOf = (name) => Object.getOwnPropertyDescriptor(RegExp.prototype, name);

  say('all flags', () => [/x/.flags, /x/dgimsuy.flags, /x/v.flags, /x/gi.flags]);
  say('a flag of its own', () => Object.defineProperty(/x/, 'global', { value: true }).flags);
  say('its own, and none', () => Object.defineProperty(/x/g, 'global', { value: 0 }).flags);
  say('a subclass', () => new (class extends RegExp { get sticky() { return 'yes'; } })('x', 'i').flags);
  say('no regular expression', () => flagsOf.call({ hasIndices: 1, unicodeSets: 'v', multiline: '', get dotAll() { return []; } }));
  say('a proxy', () => flagsOf.call(new Proxy(/x/g, { get: (target, name) => name === 'ignoreCase' || target[name] })));
  say('without a prototype', () => flagsOf.call(Object.setPrototypeOf(/x/gy, null)));
  say('no object', () => flagsOf.call(1));
  say('getters of others', () => {
    const [sticky, global] = [getterOf('sticky'), getterOf('global')];
    Object.defineProperty(RegExp.prototype, 'sticky', global);
    Object.defineProperty(RegExp.prototype, 'global', sticky);
    const flags = [/x/g.flags, /x/y.flags, /x/.flags, 'xx'.replace(/x/g, '-')];
    Object.defineProperty(RegExp.prototype, 'sticky', sticky);
    Object.defineProperty(RegExp.prototype, 'global', global);
    return flags;
  });
  say('one that throws', () => {
    const unicode = getterOf('unicode');
    Object.defineProperty(RegExp.prototype, 'unicode', { get() { throw new RangeError('mine'); }, configurable: true });
    try {
      return 'xx'.replace(/x/g, '-');
    } finally {
      Object.defineProperty(RegExp.prototype, 'unicode', unicode);
    }
  });
  say('one that is gone', () => {
    const unicode = getterOf('unicode');
    delete RegExp.prototype.unicode;
    const flags = /x/u.flags;
    Object.defineProperty(RegExp.prototype, 'unicode', unicode);
    return [flags, /x/u.flags];
  });
  say('replaced', () => ['a-b-c'.replace(/-/g, '+'), 'a-b-c'.replace(/-/, '+'), 'aXbx'.replace(/x/gi, (all, at) => `${all}${at}`)]);

  say('names again', () => ({ a: 1, b: 2, a: 3, 1: 4, '01': 5, ['b']: 6, 0: 7 }));
  say('__proto__', () => [Object.keys({ __proto__: { x: 1 }, y: 2 }), ({ __proto__: { x: 1 } }).x, Object.keys({ ['__proto__']: 1 })]);
  say('setters of a prototype', () => {
    Object.defineProperty(Object.prototype, 'watched', { set() { throw new RangeError('set'); }, configurable: true });
    const made = { watched: 1, other: 2 };
    delete Object.prototype.watched;
    return made;
  });
  say('a getter before it', () => ({ get a() { return 1; }, a: 2 }));
  say('a field', () => new (class { a = 1; b = this.a + 1; [Symbol.iterator] = 3; static c = 4; 7 = 8; })());
  class Given {
    constructor(given) {
      return given;
    }
  }
  class Fields extends Given {
    field = 1;
  }
  say('a field of what is fixed', () => new Fields(Object.preventExtensions({})));
  say('a field of what is frozen', () => new Fields(Object.freeze({ field: 0 })));
  say('a field of a list', () => Object.keys(new Fields([5])));
  say('a field of a proxy', () => new Fields(new Proxy({}, { defineProperty: () => false })));
  say('a field of bytes', () => Object.keys(new Fields(new Uint8Array(1))));
  say('many', () => {
    const made = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9 };
    delete made.b;
    made.j = 10;
    return [made, Object.entries({ a: 1, b: 2, c: 3 }).length];
  });

  say('setters of lists', () => {
    Object.defineProperty(Array.prototype, 0, { set() { throw new RangeError('set'); }, configurable: true });
    const made = ['a,b'.split(','), /(a)(b)?/.exec('a'), [3, 1].map((x) => x + 1), [1].concat([2])];
    delete Array.prototype[0];
    return made;
  });
  const fixed = (change) => function () {
    const list = [];
    change(list);
    return list;
  };
  say('a list of one length', () => Array.from.call(fixed((list) => Object.defineProperty(list, 'length', { writable: false })), [1, 2]));
  say('a frozen list', () => Array.from.call(fixed(Object.freeze), [1]));
  say('a list that has some', () => Array.from.call(fixed((list) => list.push(7, 8, 9)), [1]));
  say('a list with holes', () => Array.from.call(fixed((list) => (list.length = 5)), [1, 2]));
  say('a read-only element', () => Array.from.call(fixed((list) => Object.defineProperty(list, 0, { value: 5 })), [1]));
  say('another class', () => class extends Array {}.from('ab'));
  say('split', () => ['a|b||c'.split('|'), ''.split('|'), 'abc'.split(''), 'a1b2'.split(/\d/), 'a|b|c'.split('|', 2)]);

  say('found', () => ['aé€b'.indexOf('€'), 'aéb'.indexOf('é'), 'aéb'.indexOf('€'), 'a\0b'.indexOf('\0'), 'abcabc'.indexOf('c', 3), 'abc'.indexOf('a', 9), 'xaab'.indexOf('ab'), ''.indexOf('a')]);
}
