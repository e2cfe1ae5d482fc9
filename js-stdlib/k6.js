// The module `k6`: checks, groups, sleep. Every VU has its own copy of this, so what few scripts need is in a lazy script.
import { recordCheck, checkStage, sleepFor } from 'native:k6';
import * as native from 'native:k6';
import { evaluate, call, primordials } from 'native:engine';

let lazyScript;
const lazy = () => (lazyScript ??= evaluate('k6/lazy')(native, { call, primordials }));

export function check(value, sets, tags) {
  const stamp = checkStage('check()');
  if (sets === undefined || sets === null) lazy().refuseSets(arguments.length);
  const names = primordials.ObjectKeys(sets);
  let passed = true;
  // Counting is several times cheaper than an iterator, and this runs more often than anything else here.
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (call(primordials.StringPrototypeIndexOf, name, '::') >= 0) lazy().refuseSeparator();
    let ok = sets[name];
    if (typeof ok === 'function') {
      if (ok.constructor !== primordials.Function) lazy().refuseAsync(ok);
      try {
        ok = ok(value);
      } catch (error) {
        recordCheck(name, false, tags, stamp);
        throw error;
      }
    }
    ok = !!ok;
    recordCheck(name, ok, tags, stamp);
    passed = passed && ok;
  }
  return passed;
}

export const sleep = (seconds) => sleepFor(primordials.Number(seconds));
export const group = (name, callback) => lazy().group(name, callback);
export const fail = (message) => lazy().fail(message);
export const randomSeed = (value) => lazy().randomSeed(value);
export default { check, fail, group, randomSeed, sleep };
