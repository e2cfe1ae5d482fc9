export const options = { thresholds: { 'checks{a:b}': ['rate>0.5'], 'http_req_waiting{a:b}': ['avg<5'], 'grpc_req_duration{x:y}': ['max<5'] } };
export default function () {}
