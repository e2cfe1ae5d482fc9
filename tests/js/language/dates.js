// Dates as k6 reads and prints them.
// env: TZ=Europe/Berlin
// console: Thu Feb 29 2024 11:05:06 GMT+0100 (CET)
// console: 11:05:06 GMT+0100 (CET)
// console: 02/29/2024, 11:05:06 02/29/2024 11:05:06
// console: Mon Jul 01 2024 02:00:00 GMT+0200 (CEST)
// console: Thu, 29 Feb 2024 10:05:06 GMT 2024-02-29T10:05:06.007Z
// console: 1709200800000 1709197200000 1709197200000 1709164800000
// console: 1709161200000 1709161200000 1709161200000 NaN NaN
// console: true true true 2024 Date 7 Invalid Date
// console: Child true 1709200800000
// console: 1709201106000 string 29
const parse = (...texts) => console.log(texts.map((text) => new Date(text).getTime()).join(' '));
class Child extends Date {}
export default function () {
  const d = new Date(Date.UTC(2024, 1, 29, 10, 5, 6, 7));
  console.log(String(d));
  console.log(d.toTimeString());
  console.log(d.toLocaleString(), d.toLocaleDateString(), d.toLocaleTimeString());
  console.log(String(new Date('2024-07-01T00:00:00Z')));
  console.log(d.toUTCString(), d.toISOString());
  parse('2024-02-29 10:00:00Z', '2024-02-29T10:00', '2024-02-29 10:00:00', '2024-02-29');
  parse('Feb 29, 2024', '29 Feb 2024', '2/29/2024', '2024-13-01', 'never');
  console.log(d instanceof Date, d.constructor === Date, Date.now() > 1e12, new Date(2024, 1, 29).getFullYear(), Date.name, Date.length, String(new Date(NaN)));
  const child = new Child('2024-02-29T10:00:00Z');
  console.log(child.constructor.name, child instanceof Date, Date.parse('2024-02-29T10:00:00Z'));
  console.log(new Date(String(d)).getTime(), typeof Date(), new Date(d).getDate());
}
