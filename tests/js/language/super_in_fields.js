// `super` is known where fields get their values, in functions there too.
// console: A:m p A:m A:m A:m s
// console: true A:m
// console: a,f,g,h,i,own
class A {
  m() {
    return `${this.constructor.base}:m`;
  }
  get p() {
    return 'p';
  }
  static s() {
    return 's';
  }
}

class B extends A {
  static base = 'A';
  a = super.m();
  f = super.p
  g = () => super.m();
  h = () => () =>
    super.m();
  i = (() => { const inner = () => super.m(); return inner(); })();
  #hidden = super.m();
  own = { m() { return super.toString === Object.prototype.toString; } };
  static t = super.s();
  hidden() {
    return this.#hidden;
  }
}

export default function () {
  const b = new B();
  console.log(b.a, b.f, b.g(), b.h()(), b.i, B.t);
  console.log(b.own.m(), b.hidden());
  console.log(Object.keys(b).join());
}
