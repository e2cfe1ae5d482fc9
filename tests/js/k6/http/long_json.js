// The data of a long body is what JSON.parse makes of it, whatever is in it; what is no JSON says where.
// console: true 20000
// console: true true 2 own
// console: 40000
// console: 40000 x
// console: GoError: cannot parse json due to an error at line 1, character ...
// console: GoError: cannot parse json due to an error at line 1, character ...
// console: GoError: cannot parse json due to an error at line 1, character ...
// console: GoError: cannot parse json due to an error at line 1, character ...
// console: GoError: cannot parse json due to an error at line 1, character ...
// console: GoError: cannot parse json due to an error at line 1, character ...
// console: GoError: cannot parse json due to an error at line 1, character ...
import http from 'k6/http';

const record = String.raw`{"a":[1,-0.5,2e3,-1E-2,0,true,false,null,{"":[]}],"é\u00e9\n":"\ud83d\ude00 \"x\" \\ ü","b":{},"c":[[],[{}]] , "n":9007199254740993}`;
const pad = JSON.stringify('x'.repeat(200000));
const post = (text) => http.post(`${__ENV.URL}/reflect`, text);

export default function () {
  const text = `[${Array(20000).fill(record).join(' ,\n\t\r')}] `;
  const data = post(text).json();
  console.log(JSON.stringify(data) === JSON.stringify(JSON.parse(text)), data.length);
  const odd = post(`{"pad":${pad},"__proto__":"own","d":1,"d":2}`).json();
  console.log(Object.hasOwn(odd, '__proto__'), Object.getPrototypeOf(odd) === Object.prototype, odd.d, odd['__proto__']);
  // Values alone, and a list that is nothing but brackets.
  console.log(post(`${'['.repeat(40)}${Array(40000).fill('[]').join()}${']'.repeat(40)}`).json().flat(39).length);
  console.log(post(`{"list":[${Array(40000).fill('{"k":"x"}').join()}]}`).json('list.#'), post(`{"list":[${Array(40000).fill('{"k":"x"}').join()}]}`).json('list.39999.k'));
  for (const wrong of [`[${pad},]`, `[${pad}`, `[${pad}] x`, `{"a":${pad},b:1}`, `[${pad},01]`, `[${pad},1.]`, `[${pad},"\u0001"]`]) {
    try {
      console.log(typeof post(wrong).json());
    } catch (error) {
      console.log(String(error).slice(0, 90));
    }
  }
}
