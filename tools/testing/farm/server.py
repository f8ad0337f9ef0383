"""server.py CONFIGURATION LOG READY: BuildGrid, with a line in LOG for each blob that it gives or takes, and its ports in READY."""

import sys
import threading

import grpc

configuration, log_path, ready_path = sys.argv[1:]
log = open(log_path, "a", buffering=1)
lock = threading.Lock()

READ, WRITE = "/google.bytestream.ByteStream/Read", "/google.bytestream.ByteStream/Write"
CAS = "/build.bazel.remote.execution.v2.ContentAddressableStorage/"


def write(who, verb, digest, bytes):
    with lock:
        log.write(f"{who} {verb} {digest} {bytes}\n")


def digest_in(resource):
    """The digest of INSTANCE/blobs/HEX/SIZE and INSTANCE/uploads/UUID/blobs/HEX/SIZE."""
    words = resource.split("/")
    return words[words.index("blobs") + 1]


class Transfers(grpc.ServerInterceptor):
    """Logs the bytes of blobs, with the client: `bazel` is gRPC for Java, `slipway` for Node, `worker` for Python."""

    def intercept_service(self, continuation, details):
        handler = continuation(details)
        agent = dict(details.invocation_metadata).get("user-agent", "")
        who = next((name for part, name in {"java": "bazel", "node": "slipway", "python": "worker"}.items() if part in agent), agent)

        def read(request, context):
            count = 0
            try:
                for part in handler.unary_stream(request, context):
                    count += len(part.data)
                    yield part
            finally:
                write(who, "get", digest_in(request.resource_name), count)

        def written(requests, context):
            name, count = "", 0

            def counted():
                nonlocal name, count
                for request in requests:
                    name = name or request.resource_name
                    count += len(request.data)
                    yield request

            try:
                return handler.stream_unary(counted(), context)
            finally:
                write(who, "put", digest_in(name), count)

        def read_batch(request, context):
            response = handler.unary_unary(request, context)
            for each in response.responses:
                write(who, "get", each.digest.hash, len(each.data))
            return response

        def written_batch(request, context):
            for each in request.requests:
                write(who, "put", each.digest.hash, len(each.data))
            return handler.unary_unary(request, context)

        counting = {
            READ: lambda **codec: grpc.unary_stream_rpc_method_handler(read, **codec),
            WRITE: lambda **codec: grpc.stream_unary_rpc_method_handler(written, **codec),
            CAS + "BatchReadBlobs": lambda **codec: grpc.unary_unary_rpc_method_handler(read_batch, **codec),
            CAS + "BatchUpdateBlobs": lambda **codec: grpc.unary_unary_rpc_method_handler(written_batch, **codec),
        }.get(details.method)
        if not handler or not counting:
            return handler
        return counting(request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer)


def announce(port_map):
    with open(ready_path, "w") as ready:
        ready.write(" ".join(map(str, port_map.values())) + "\n")


plain_server = grpc.server
grpc.server = lambda *args, **options: plain_server(*args, interceptors=[Transfers()], **options)

from buildgrid.server.app.commands.cmd_server import _create_server_from_config  # noqa: E402
from buildgrid.server.app.settings.parser import load_config  # noqa: E402

_create_server_from_config(load_config(configuration)).start(port_assigned_callback=announce)
