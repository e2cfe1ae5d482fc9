// A request that gets no answer has waited until its end: for the response, for the samples, for each hop on its own.
// console: hang 1050 true true 0
// console: hang of a batch 1050 true true 0
// console: refused true
// console: true
import http from 'k6/http';

const LIMIT = 200;
const params = { timeout: LIMIT };
export const options = { summaryTrendStats: ['min', 'count'], thresholds: { 'http_req_duration{error_code:1050}': [`min>${LIMIT / 2}`] } };

function tell(what, { error_code: code, timings }) {
  const { blocked, sending, waiting, receiving, duration } = timings;
  console.log(what, code, blocked + duration > LIMIT - 1, waiting > sending, receiving);
}

export default function () {
  tell('hang', http.get(`${__ENV.URL}/hang`, params));
  tell('hang of a batch', http.batch([['POST', `${__ENV.URL}/hang`, 'body', params]])[0]);
  console.log('refused', http.get('http://127.0.0.1:1/').timings.duration === 0);
}
export function handleSummary({ metrics }) {
  console.log(Object.values(metrics['http_req_duration{error_code:1050}'].thresholds)[0].ok);
}
