const { then } = Promise.prototype;
const attempt = (f) => {
  try {
    return f();
  } catch (error) {
    return error.name;
  }
};
class Sub extends Promise {}
const place = (error) => error.stack.split('\n')[1].trim().replace(/^at (.* \()?/, '').replace(')', '');

export default async function () {
  const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(Promise.prototype, 'then');
  console.log(then.name, then.length, typeof then, 'prototype' in then, [writable, enumerable, configurable].join());
  console.log('native', /^function then\(\) \{\s*\[native code\]\s*\}$/.test(then.toString()), Object.keys(then).length > 0);
  console.log(attempt(() => new then()));
  const sub = new Sub((resolve) => resolve(1)).then(() => {});
  console.log(sub.constructor.name, sub instanceof Sub, [sub.finally() instanceof Sub, Promise.resolve(1).then() instanceof Sub].join());
  console.log(attempt(() => then.call({}, () => {})), (await new Promise((_, reject) => reject(7)).then(1).catch((e) => e)) === 7);

  // In the order of the standard.
  const order = [];
  const add = (...list) => order.push(...list);
  const slow = async () => {
    add(2);
    await { then: (resolve) => { add(5); resolve(); } };
    add(9);
  };
  (async () => { add(1); await null; add(4); await null; add(7); })();
  const done = slow();
  Promise.resolve().then(() => add(6)).then(() => add(8));
  add(3);
  await done;
  add(10);
  console.log(...order);
  const seen = await Promise.resolve().then(function () { 'use strict'; return [this, arguments[1]]; });
  console.log(seen[0], seen[1]);
  console.log(Object.prototype.toString.call(Promise.resolve()), attempt(() => Promise.resolve.call(undefined, 1)));
  const f = async () => { await f; };
  console.log(f.constructor.name, f.length, f.name);
  const thrown = async () => { await null; await null; throw new Error('at the end'); };
  await thrown().catch((error) => console.log(place(error)));

  try {
    await null;
    await null;
    if (f) throw new Error('in a block');
  } catch (error) {
    console.log(place(error));
  }
  await Promise.resolve()
    .then(function handler() {
      // A reaction has no frames of others.
      const error = new Error('in a reaction');
      console.log([error.stack.trim().split('\n').length === 2 ? place(new Error('in it')) : error.stack].join());
    });
  try {
    const o = { f: (await Promise.resolve(1)) };
    (await Promise.resolve(o)).f();
  } catch (error) {
    console.log(String(error));
  }
}
