export const options = {
  scenarios: {
    api: { executor: 'per-vu-iterations' },
    db: { executor: 'per-vu-iterations' },
  },
  thresholds: { 'iterations{scenario:db}': ['count>'] },
};

export default function () {
  console.log('it runs');
}
