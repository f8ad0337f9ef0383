"""How the helper reaches a worker: the channels of docs/worker-protocol.md."""

import hmac
import os
import socket
import threading
import time
from typing import List, NoReturn, Optional

from slipway._frames import MAXIMUM_BODIES, Channel, Header, frames
from slipway._output import write_all
from slipway._printable import indented_lines

# Seconds without a connection.
_PATIENCE = 60
# Exit status of a worker whose helper is gone.
ALONE = 129


class Line:
    """The channel of a worker. Keeps standard input and output of the user's code out of it."""

    def __init__(self, channel: str) -> None:
        self._token = os.environ.pop("SLIPWAY_WORKER_TOKEN", "").encode()
        kind, _, number = channel.partition(":")
        self._is_pod = kind == "tcp"
        self._is_ending = False
        # Guards the connection, and the state of the worker.
        self._state = threading.Condition()
        self._channel: Optional[Channel] = None
        self._lost_at = 0.0
        if self._is_pod:
            self._listener = socket.create_server(("127.0.0.1", int(number)))
        elif kind == "fd":
            source, target = [int(each) for each in number.split(",")]
            for each in (source, target):
                os.set_inheritable(each, False)
            self._own = Channel(source, target)
        else:
            self._own = Channel(os.dup(0), os.dup(1))
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.close(nothing)
        os.dup2(2, 1)

    def _attach(self, channel: Channel) -> None:
        """Makes this the connection, and says hello."""
        raise NotImplementedError

    def _handle(self, channel: Channel, header: Header, bodies: List[bytes]) -> None:
        """Acts on a frame, if it comes from the connection."""
        raise NotImplementedError

    def _exit(self, status: int) -> NoReturn:
        raise NotImplementedError

    def _start(self) -> None:
        threading.Thread(target=self._listen if self._is_pod else self._read, daemon=True, name="slipway-channel").start()

    def _read(self) -> None:
        try:
            for header, bodies in frames(self._own.read):
                self._handle(self._own, header, bodies)
                del bodies
        except Exception as error:
            self._end_by_fault(error)
        if not self._is_ending:
            self._exit(ALONE)

    def _listen(self) -> None:
        self._lost_at = time.monotonic()
        self._listener.settimeout(1)
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                if self._channel is None and time.monotonic() - self._lost_at > _PATIENCE:
                    self._exit(ALONE)
                continue
            threading.Thread(target=self._converse, args=[connection], daemon=True, name="slipway-connection").start()

    def _converse(self, connection: socket.socket) -> None:
        channel = Channel(connection)
        is_attached = False
        connection.settimeout(_PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for header, bodies in frames(channel.read, lambda: MAXIMUM_BODIES if is_attached else 0):
                if not is_attached:
                    token = str(header.get("token")).encode("utf-8", "replace")
                    if header["type"] != "attach" or not hmac.compare_digest(token, self._token):
                        break
                    is_attached = True
                    connection.settimeout(None)
                self._handle(channel, header, bodies)
                del bodies
        except Exception as error:
            if is_attached:
                self._end_by_fault(error)
        self._lose(channel)
        channel.close()
        connection.close()

    def _end_by_fault(self, error: Exception) -> NoReturn:
        write_all(2, f"slipway: {indented_lines(str(error))}\n".encode())
        self._exit(ALONE)

    def _lose(self, channel: Optional[Channel]) -> None:
        with self._state:
            if self._channel is channel:
                self._channel = None
                self._lost_at = time.monotonic()
