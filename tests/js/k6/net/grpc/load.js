// Files are looked for in folders, and missed by name; a second VU loads nothing anew.
// args: --vus 2 --iterations 2
// console: GoError: stat .../data/missing.proto: no such file or directory
// console: GoError: stat .../data/missing.proto: no such file or directory
// console: GoError: couldn't open protoset: stat .../nothing.protoset: no such file or directory
// console: TypeError: could not convert function call parameter 0: could not convert data to []string
// console: GoError: broken.proto:3:9: expected ...
// console: GoError: importing.proto:2:1: import 'missing.proto' not found
// console: ["Test","Say","/test.v1.Test/Say",false,false] ["Talk",true,true] 8
// console: ["Test","Say","/test.v1.Test/Say",false,false] ["Talk",true,true] 8
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
const methods = client.load([import.meta.resolve('./data'), 'nowhere'], 'test.proto');
const attempt = (f) => {
  try {
    f();
  } catch (error) {
    if (__VU === 0) console.log(String(error));
  }
};
attempt(() => client.load(['data'], 'missing.proto'));
attempt(() => client.load(['data', '.'], 'test.proto', 'missing.proto'));
attempt(() => client.loadProtoset('nothing.protoset'));
attempt(() => client.load('data', 'test.proto'));
attempt(() => client.load(['data'], 'broken.proto'));
attempt(() => client.load(['data'], 'importing.proto'));

export default function () {
  const find = (name) => methods.find((method) => method.name === name);
  const { service, name, full_method, is_client_stream, is_server_stream } = find('Say');
  const talk = find('Talk');
  console.log(JSON.stringify([service, name, full_method, is_client_stream, is_server_stream]), JSON.stringify([talk.name, talk.is_client_stream, talk.is_server_stream]), methods.length);
}
