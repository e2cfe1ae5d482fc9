import { Client } from 'k6/net/grpc';

const client = new Client();
const names = (methods) => methods.map((method) => method.full_method).join(' ');
const ours = names(client.load(['nowhere', '.'], 'main.proto'));
const set = names(client.loadProtoset('set.protoset'));

export default function () {
  console.log(ours, set);
}
