export const options = {
  scenarios: {
    api: { executor: 'per-vu-iterations' },
    db: { executor: 'per-vu-iterations' },
  },
  thresholds: { 'nothing{scenario:db}': ['count>1'] },
};

export default function () {
  console.log('it runs');
}
