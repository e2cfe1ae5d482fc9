import { Counter } from 'k6/metrics';

const seen = new Counter('seen');

export const options = {
  scenarios: {
    api: { executor: 'per-vu-iterations', exec: 'api' },
    db: { executor: 'per-vu-iterations', exec: 'db' },
    ui: { executor: 'per-vu-iterations', exec: 'api' },
  },
  thresholds: {
    'iterations{scenario:ui}': ['count>5'],
    'iterations{ "scenario" : db, name:x }': ['count>5'],
    'seen{scenario:api}': ['count==1'],
    'seen{scenario:nobody}': ['count==0'],
    seen: ['count==2'],
  },
};

export function api() {
  // Another scenario's tag does not bring its threshold back.
  seen.add(1, { scenario: 'ui' });
  seen.add(1);
}

export function db() {}
