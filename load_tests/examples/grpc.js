// gRPC from its .proto file: one question and one answer, then a stream of answers.
import grpc from 'k6/net/grpc';
import { check } from 'k6';

const ADDRESS = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace('http://', '');
const thresholds = { 'grpc_req_duration{method:GetRisk}': ['p(95)<1000'] };
export const options = { vus: 2, iterations: 6, thresholds };

const client = new grpc.Client();
client.load(['data'], 'register.proto');

export default async function () {
  // One connection per VU: it is kept for the iterations that follow.
  if (__ITER === 0) client.connect(ADDRESS, { plaintext: true });
  check(client.healthCheck(), { 'serving': ({ status }) => status === grpc.HealthCheckServing });

  const risks = await list({ limit: 5 });
  check(risks, { 'five risks': (risks) => risks.length === 5 });
  const answer = client.invoke('volley.demo.v1.Register/GetRisk', { id: risks[0].id });
  check(answer, {
    'found': ({ status }) => status === grpc.StatusOK,
    'the same one': ({ message }) => message.title === risks[0].title,
  });
  const nothing = client.invoke('volley.demo.v1.Register/GetRisk', { id: 'R-0' });
  check(nothing, { 'not found': ({ status }) => status === grpc.StatusNotFound });
}

function list(wish) {
  return new Promise((resolve, reject) => {
    const stream = new grpc.Stream(client, 'volley.demo.v1.Register/ListRisks');
    const risks = [];
    stream.on('data', (risk) => risks.push(risk));
    stream.on('error', reject);
    stream.on('end', () => resolve(risks));
    stream.write(wish);
    stream.end();
  });
}
