// The module `k6`: checks, groups, sleep. Every VU has its own copy of this, so what few scripts need is in a lazy script.
import { sleepFor } from 'native:k6';
import * as native from 'native:k6';
import { bind, evaluate, call, primordials } from 'native:engine';

let lazyScript;
const lazy = () => (lazyScript ??= evaluate('k6/lazy')(native, { call, primordials }));

// What scripts call with each iteration is native; what is seldom comes here.
const rare = (name) => (...list) => primordials.ReflectApply(lazy()[name], undefined, list);

export const check = bind('k6', 'check', 'check', 1, rare('check'), primordials.Function, rare('refuseAsync'), 'constructor');
export const sleep = (seconds) => sleepFor(primordials.Number(seconds));
export const group = bind('k6', 'group', 'group', 2, rare('group'), primordials.Function, 'constructor');
export const fail = (message) => lazy().fail(message);
export const randomSeed = (value) => lazy().randomSeed(value);
export default { check, fail, group, randomSeed, sleep };
