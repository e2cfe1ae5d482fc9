// A name that a module of k6 lacks is undefined.
// console: undefined function function
import { check, nothing } from 'k6';
import http, { nope } from 'k6/http';
if (__VU === 0) console.log(nothing ?? nope, typeof check, typeof http.get);
export default function () {}
