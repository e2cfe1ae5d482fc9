// log: out of stock
export default function () {
  throw 'out of stock';
}
