"""The helper's side of a worker, for tests: docs/worker-protocol.md."""

import json
import os
import pathlib
import socket
import subprocess
import sys
from typing import Any, Dict, List, Optional, Tuple

from slipway._frames import Channel, Frame, frames
from slipway._values import copied, decode, encode

PROGRAM = str(pathlib.Path(__file__).with_name("worker_program.py"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}


class FakeHelper:
    """A worker, and the helper's end of its channel. `kind` is `stdio`, `fd` or `tcp`."""

    def __init__(self, kind: str = "fd", program: str = PROGRAM, **env: str) -> None:
        self.kind = kind
        self.last = 0
        options: Dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
        channel = kind
        if kind == "fd":
            own, other = socket.socketpair()
            options["pass_fds"] = [other.fileno()]
            channel = f"fd:{other.fileno()},{other.fileno()}"
        elif kind == "tcp":
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            channel = f"tcp:{self.port}"
            env["SLIPWAY_WORKER_TOKEN"] = "secret"
        else:
            options["stdin"] = subprocess.PIPE
        self.child = subprocess.Popen(
            [sys.executable, program, "argument"],
            env={**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path), "SLIPWAY_WORKER": "1", "SLIPWAY_WORKER_CHANNEL": channel, **env},
            stderr=subprocess.PIPE,
            **options,
        )
        if kind == "fd":
            other.close()
            self.channel = Channel(own)
        elif kind == "tcp":
            self.channel = self.connected()
        else:
            assert self.child.stdin and self.child.stdout
            self.channel = Channel(self.child.stdout.fileno(), self.child.stdin.fileno())
        self.stream = frames(self.channel.read)

    def connected(self) -> Channel:
        while True:
            try:
                return Channel(socket.create_connection(("127.0.0.1", self.port)))
            except ConnectionRefusedError:
                assert self.child.poll() is None

    def attach(self, token: str = "secret") -> Dict[str, Any]:
        self.channel.send(f'"type":"attach","protocol":1,"token":{json.dumps(token)}')
        hello = next(self.stream).header
        assert hello["type"] == "hello", hello
        return hello

    def reconnect(self) -> Dict[str, Any]:
        self.channel = self.connected()
        self.stream = frames(self.channel.read)
        return self.attach()

    def call(self, function: str, *arguments: Any) -> int:
        self.last += 1
        self.channel.send(f'"type":"call","id":{self.last},"function":{json.dumps(function)}', copied(encode(arguments, "it")))
        return self.last

    def send(self, kind: str, **members: Any) -> None:
        self.channel.send(json.dumps({"type": kind, **members})[1:-1])

    def reply(self, outputs: Optional[List[Tuple[int, bytes]]] = None) -> Tuple[int, Any]:
        """The next reply: its call, and its result or error. What calls print goes to `outputs`."""
        for frame in self.stream:
            kind = frame.header["type"]
            if kind == "output" and outputs is not None:
                outputs.append((frame.header["id"], frame.bodies[0]))
            elif kind in ("result", "error"):
                return frame.header["id"], decoded(frame)
        raise EOFError

    def replies(self, count: int) -> Dict[int, Any]:
        return dict(self.reply() for _ in range(count))

    def await_frame(self, kind: str) -> Dict[str, Any]:
        return next(each.header for each in self.stream if each.header["type"] == kind)

    def end(self) -> Tuple[int, str]:
        """Ends the worker. Returns its status and its standard error."""
        self.send("end")
        return self.ended()

    def ended(self) -> Tuple[int, str]:
        assert self.child.stderr
        err = self.child.stderr.read().decode()
        status = self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe:
                pipe.close()
        return status, err

    def close(self) -> None:
        """Ends the channel."""
        if self.child.stdin:
            self.child.stdin.close()
        elif isinstance(self.channel._source, socket.socket):
            self.channel._source.close()

    def kill(self) -> None:
        """Ends the worker, if it still runs."""
        self.close()
        if self.child.poll() is None:
            self.child.kill()
            self.ended()


def decoded(frame: Frame) -> Any:
    if frame.header["type"] == "result":
        return decode(frame.bodies)
    return json.loads(frame.bodies[0])
