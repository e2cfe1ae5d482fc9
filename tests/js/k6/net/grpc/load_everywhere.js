// What is missing is missed in every VU, and imports are found however their paths are written.
// args: --vus 2 --iterations 2
// console: /rooted.Rooted/Put GoError: stat .../data/missing.proto: no such file or directory
// console: /rooted.Rooted/Put GoError: stat .../data/missing.proto: no such file or directory
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
let missing = '';
try {
  client.load(['data'], 'missing.proto');
} catch (error) {
  missing = String(error);
}
const [method] = client.load(['data'], 'rooted.proto');

export default function () {
  console.log(method.full_method, missing);
}
