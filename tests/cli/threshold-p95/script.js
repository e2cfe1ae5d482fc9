import http from 'k6/http';

export const options = { thresholds: { http_req_duration: ['p95<5000'] } };
export default function () {
  http.get(`${__ENV.URL}/text`);
}
