// Certificates of a connection's own; the server asks for one.
// console: true 5
// console: context deadline exceeded: connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"
// console: context deadline exceeded: connection error: desc = "error reading server preface: remote error: tls: certificate required"
// console: failed to append ca certificate [0] from PEM
// console: failed to append certificate from PEM: tls: failed to find any PEM data in key input
// console: context deadline exceeded: connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"
// console: connection error: desc = "transport: error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"
// console: connection error: desc = "transport: error while dialing: dial tcp: address nowhere: missing port in address"
// console: context deadline exceeded: connection error: desc = "transport: error while dialing: hostname (blocked.test) is in a blocked pattern (blocked.test)"
// console: true
import grpc from 'k6/net/grpc';

export const options = { blockHostnames: ['blocked.test'], hosts: { 'own.test': '127.0.0.1' } };

const client = new grpc.Client();
client.load(['data'], 'test.proto');
const tls = { cacerts: [__ENV.GRPC_CA], cert: __ENV.GRPC_CERT, key: __ENV.GRPC_KEY };
const attempt = (address, params) => {
  try {
    console.log(client.connect(address, params));
  } catch (error) {
    console.log(error.message);
  }
};

export default function () {
  const secure = client.connect(__ENV.GRPC_TLS, { tls });
  console.log(secure, client.invoke('test.v1.Test/Say', { anInt32: 5 }).message.anInt32);
  attempt(__ENV.GRPC_TLS, { timeout: '300ms', tls: {} });
  attempt(__ENV.GRPC_TLS, { timeout: '300ms', tls: { cacerts: __ENV.GRPC_CA } });
  attempt(__ENV.GRPC_TLS, { tls: { cacerts: 'x' } });
  attempt(__ENV.GRPC_TLS, { tls: { cert: __ENV.GRPC_CERT, key: 'x' } });
  attempt(__ENV.GRPC, { timeout: '300ms' });
  attempt('127.0.0.1:1', { plaintext: true });
  attempt('nowhere', { plaintext: true });
  attempt('blocked.test:1', { plaintext: true, timeout: '300ms' });
  attempt(__ENV.GRPC.replace('127.0.0.1', 'own.test'), { plaintext: true });
}
