// The namespace of a module of k6 has no default export, and shows what a script puts in the place of a function.
// console: check,fail,group,randomSeed,sleep undefined undefined false object
// console: patched patched function true
import * as k6 from 'k6';
import http, * as all from 'k6/http';
import*as secrets from"k6/secrets";
import { again } from './data/star.js';
import * as own from './data/counter_default.js';

export default function () {
  console.log(Object.keys(k6).sort().join(), k6.default, all.default, 'default' in secrets, typeof http);
  http.get = () => 'patched';
  console.log(all.get(), again.get(), typeof again.post, 'default' in own);
}
