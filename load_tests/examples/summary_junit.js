// Thresholds as JUnit XML, which every CI server reads. `-e JUNIT=file.xml` writes a file.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 2, thresholds: { http_req_failed: ['rate<0.01'], checks: ['rate==1'] } };

export default function () {
  check(http.get(`${BASE_URL}/plain`), { 'is up': (r) => r.status === 200 });
}

export function handleSummary({ metrics }) {
  const cases = Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds).map(([text, { ok }]) => {
      const title = `${name} ${text}`.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
      return `  <testcase name="${title}">${ok ? '' : '<failure message="crossed"/>'}</testcase>`;
    }));
  const failures = cases.filter((line) => line.includes('<failure')).length;
  const head = `<testsuite name="load test" tests="${cases.length}" failures="${failures}">`;
  const xml = [head, ...cases, '</testsuite>', ''];
  return { [__ENV.JUNIT || 'stdout']: xml.join('\n') };
}
