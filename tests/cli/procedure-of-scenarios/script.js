export const options = {
  scenarios: {
    api: { executor: 'per-vu-iterations', iterations: 4 },
    db: { executor: 'shared-iterations', iterations: 3 },
    ui: { executor: 'constant-vus', duration: '1h' },
  },
  thresholds: { 'iterations{scenario:ui}': ['count>5'], 'iterations{scenario:api}': ['count>0'] },
};

export default function () {}
