// A load test with a gate, and a report a CI server reads.
import http from 'k6/http';
import { check } from 'k6';

export const options = {
  vus: 2,
  iterations: 6,
  thresholds: {
    http_req_failed: ['rate<0.01'],
    http_reqs: [`count<${__ENV.LIMIT || 1000}`],
    checks: [{ threshold: 'rate>0.9', abortOnFail: true }],
  },
};

export default function () {
  const res = http.get(`${__ENV.BASE_URL}/json`);
  check(res, { 'it is there': (r) => r.status === 200, 'it has data': (r) => r.json('total') === 2 });
}

// One test case for each threshold.
export function handleSummary(data) {
  const cases = [];
  let failures = 0;
  for (const [name, metric] of Object.entries(data.metrics)) {
    for (const [expression, { ok }] of Object.entries(metric.thresholds || {})) {
      failures += ok ? 0 : 1;
      const text = `${name} ${expression}`.replace(/</g, '&lt;').replace(/>/g, '&gt;');
      cases.push(`    <testcase name="${text}">${ok ? '' : '<failure message="crossed"/>'}</testcase>`);
    }
  }
  const head = `<testsuite name="k6" tests="${cases.length}" failures="${failures}">`;
  return {
    stdout: `requests: ${data.metrics.http_reqs.values.count}\n`,
    'junit.xml': `<?xml version="1.0"?>\n${head}\n${cases.join('\n')}\n</testsuite>\n`,
  };
}
