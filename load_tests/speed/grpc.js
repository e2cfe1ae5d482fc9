// One unary call and one check, one connection per VU.
import { check } from 'k6';
import grpc from 'k6/net/grpc';

const ADDRESS = __ENV.URL || '127.0.0.1:8080';
const METHOD = 'volley.demo.v1.Register/GetRisk';

const client = new grpc.Client();
client.load(['../examples/data'], 'register.proto');

export default function () {
  if (__ITER === 0) client.connect(ADDRESS, { plaintext: true });
  const res = client.invoke(METHOD, { id: 'risk-1' });
  check(res, { 'status is OK': (r) => r.status === grpc.StatusOK });
}
