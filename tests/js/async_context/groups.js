// Groups whose callbacks go on later: their paths, what they return, and one duration each.
// args: --features async-metric-context
// console: at once ::outer
// console: behind an await ::outer own
// console: nested ::outer::inner own
// console: and out again ::outer own
// console: outside  undefined 7
// console: the same reason ::failing true
// console: not a thenable true
// console: what it changed undefined undefined
// console: plain and thrown plain undefined
// console: siblings ::a ::b ::c a,b,c
// console: overridden ::tagged
// console: not awaited ::later
// console: outer 1 inner 1 failing 2 plain 2 a,b,c 1,1,1 thenables 1,1,1,1 override 1 1 later 1
// console: with the tags of its entry 2 1
import exec from 'k6/execution';
import { group } from 'k6';
import { Counter } from 'k6/metrics';

const counter = new Counter('counted');
const groups = ['outer', 'outer::inner', 'failing', 'plain', 'a', 'b', 'c', 'now', 'throws', 'getter', 'refuses', 'later'];
const of = (group) => `group_duration{group:::${group}}`;
const thresholds = { 'counted{plain:yes}': [], 'counted{group:::tagged}': [], 'group_duration{own:yes}': [], 'group_duration{parent:yes}': [] };
for (const name of groups) thresholds[of(name)] = [];
export const options = { thresholds, summaryTrendStats: ['count'] };

const later = (value) => new Promise((resolve) => setTimeout(() => resolve(value), 1));

export default async function () {
  const { tags, metadata } = exec.vu.metrics;
  const say = (what, ...more) => console.log(what, tags.group, ...more);
  tags.parent = 'yes';
  let began = false;
  const outer = group('outer', async () => {
    began = true;
    say('at once');
    tags.own = 'yes';
    metadata.own = 'own';
    await later();
    say('behind an await', metadata.own);
    await group('inner', async () => {
      await later();
      say('nested', metadata.own);
    });
    say('and out again', metadata.own);
    return 7;
  });
  if (!began || tags.group !== '') say('not at once');
  say('outside', tags.own, await outer);
  delete tags.parent;

  const reason = { any: 'thing' };
  await group('failing', async () => {
    await later();
    throw reason;
  }).catch((caught) => group('failing', () => say('the same reason', caught === reason)));

  const value = { then: 'no function' };
  console.log('not a thenable', group('plain', () => {
    tags.own = 'plain';
    metadata.own = 'plain';
    return value;
  }) === value);
  console.log('what it changed', tags.own, metadata.own);
  try {
    group('plain', () => {
      tags.own = 'plain';
      throw new Error('plain');
    });
  } catch (error) {
    console.log('plain and thrown', error.message, tags.own);
  }

  const names = ['a', 'b', 'c'];
  const seen = await Promise.all(names.map((name) => group(name, async () => {
    tags.name = name;
    await later();
    return [tags.group, tags.name];
  })));
  console.log('siblings', ...seen.map(([path]) => path), seen.map(([, name]) => name).join());

  await group('now', () => ({ then: (resolve) => { resolve(1); resolve(2); } }));
  await group('throws', () => ({ then: () => { throw 1; } })).catch(() => {});
  await group('getter', () => ({ get then() { throw 1; } })).catch(() => {});
  await group('refuses', () => ({ then: (_, reject) => reject(1) })).catch(() => {});

  await group('tagged', async () => {
    await later();
    counter.add(1, { group: '', plain: 'yes' });
    counter.add(1);
    say('overridden');
  });
  group('later', async () => {
    await later();
    say('not awaited');
  });
}

export function handleSummary({ metrics }) {
  const count = (name) => metrics[name].values.count;
  const each = (...names) => names.map((name) => count(of(name))).join();
  console.log('outer', each('outer'), 'inner', each('outer::inner'), 'failing', each('failing'), 'plain', each('plain'), 'a,b,c', each('a', 'b', 'c'),
    'thenables', each('now', 'throws', 'getter', 'refuses'), 'override', count('counted{plain:yes}'), count('counted{group:::tagged}'), 'later', each('later'));
  console.log('with the tags of its entry', count('group_duration{parent:yes}'), count('group_duration{own:yes}'));
}
