// The module `k6`: checks, groups, sleep. Every VU has its own copy of this, so what few scripts need is in a lazy script.
import { recordCheck, checkStage, sleepFor } from 'native:k6';
import * as native from 'native:k6';
import { evaluate, call, primordials } from 'native:engine';

let lazyScript;
const lazy = () => (lazyScript ??= evaluate('k6/lazy')(native, { call, primordials }));

// Names of checks that were looked at: most come again with each iteration. Those beyond the first few are looked at each time.
const known = { __proto__: null };
let room = 64;
function admit(name) {
  if (call(primordials.StringPrototypeIndexOf, name, '::') >= 0) lazy().refuseSeparator();
  if (room === 0) return;
  room--;
  known[name] = true;
}

// A rest parameter costs a fifth of what `arguments` costs.
export function check(value, ...rest) {
  const stamp = checkStage(false);
  const sets = rest[0], tags = rest[1];
  if (sets === undefined || sets === null) lazy().refuseSets(1 + rest.length);
  const names = primordials.ObjectKeys(sets);
  let passed = true;
  // Counting is several times cheaper than an iterator, and this runs more often than anything else here.
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (known[name] === undefined) admit(name);
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
