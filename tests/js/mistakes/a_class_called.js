// log: TypeError: class constructor... 'new'
class A {}
export default function () {
  A();
}
