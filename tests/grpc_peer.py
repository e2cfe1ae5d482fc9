"""The service of js/k6/net/grpc/data/test.proto on grpcio, the C core most gRPC servers share. Bytes in, bytes out.

Prints its ports, without and with TLS; the folder with `cert.pem`, `key.pem` and `ca.pem` is its argument. Ends with its
standard input.
"""

import sys
import time
from concurrent import futures

import grpc


def fail(request, context):
    context.set_trailing_metadata((("t-raw-bin", b"\x00\xff"),))
    context.abort(grpc.StatusCode.NOT_FOUND, "nothing é here")


def meta(request, context):
    sent = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-")]
    context.send_initial_metadata(sent)
    context.set_trailing_metadata([("t" + key[1:], value) for key, value in sent])
    return b""


def sleep(request, context):
    while context.is_active():
        time.sleep(0.01)
    return request


def total(requests, context):
    # A number is one field: its tag and a varint of one byte here.
    return bytes([8, sum(request[1] for request in requests if request)])


def count(request, context):
    for value in range(1, request[1] + 1):
        yield bytes([8, value])


def talk(requests, context):
    for request in requests:
        yield request


METHODS = {
    "Say": grpc.unary_unary_rpc_method_handler(lambda request, context: request),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "Meta": grpc.unary_unary_rpc_method_handler(meta),
    "Sleep": grpc.unary_unary_rpc_method_handler(sleep),
    "Sum": grpc.stream_unary_rpc_method_handler(total),
    "Count": grpc.unary_stream_rpc_method_handler(count),
    "Talk": grpc.stream_stream_rpc_method_handler(talk),
}


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        return METHODS.get(details.method.rpartition("/")[2])


def read(name):
    with open(f"{sys.argv[1]}/{name}", "rb") as file:
        return file.read()


server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)])
server.add_generic_rpc_handlers((Service(),))
plain = server.add_insecure_port("127.0.0.1:0")
secured = grpc.ssl_server_credentials([(read("key.pem"), read("cert.pem"))], read("ca.pem"), True)
secure = server.add_secure_port("127.0.0.1:0", secured)
server.start()
print(plain, secure, flush=True)
sys.stdin.read()
server.stop(0)
