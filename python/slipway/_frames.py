"""Frames of docs/worker-protocol.md. Keep src/functions/frames.ts the same."""

import itertools
import json
import os
import socket
import threading
from contextlib import suppress
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Union

from slipway._errors import Failure, reported

# Bytes of a header, and of all bodies of a frame.
MAXIMUM_HEADER = 64 * 1024
MAXIMUM_BODIES = 256 * 1024 * 1024
# Bytes that are read at once, and up to which the pieces of a frame are written together.
_PIECE = 256 * 1024

Header = Dict[str, Any]
Body = Union[bytes, bytearray, memoryview]


class Frame(NamedTuple):
    header: Header
    bodies: List[bytes]


def frames(read: Callable[[int], bytes], maximum: Callable[[], int] = lambda: MAXIMUM_BODIES) -> Iterator[Frame]:
    """The frames of a stream, until it ends. A frame that is cut short does not count.

    Args:
        read: returns at most that many bytes, and none at the end.
        maximum: bytes that all bodies of a frame may have now.

    Raises:
        Failure: the other side sent something that is no frame.
    """
    data, at = b"", 0
    while True:
        end = data.find(b"\n", at, at + MAXIMUM_HEADER + 1)
        if end < 0:
            if len(data) - at > MAXIMUM_HEADER:
                raise _refused("a header is too long")
            piece = read(_PIECE)
            if not piece:
                return
            data, at = data[at:] + piece, 0
            continue
        header = _parsed(data[at:end])
        at = end + 1
        sizes = header.get("sizes")
        if not sizes:
            yield Frame(header, [])
            continue
        total = sum(sizes)
        if total > maximum():
            raise _refused("the bodies are too long")
        if len(data) - at < total:
            data, at = _read_at_least(read, total, data[at:]), 0
            if len(data) < total:
                return
        ends = list(itertools.accumulate(sizes, initial=at))
        found = [Frame(header, [data[start:end] for start, end in zip(ends, ends[1:])])]
        at = ends[-1]
        if total > _PIECE or at == len(data):
            # Nothing here refers to large bodies while the next frame is awaited.
            data, at = data[at:], 0
        yield found.pop()


def _read_at_least(read: Callable[[int], bytes], size: int, begun: bytes) -> bytes:
    pieces, missing = [begun], size - len(begun)
    while missing > 0:
        piece = read(max(_PIECE, min(missing, 1 << 20)))
        if not piece:
            break
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _parsed(text: bytes) -> Header:
    try:
        header = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise _refused("a header is not JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("type"), str):
        raise _refused("a header has no type")
    sizes = header.get("sizes", [])
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise _refused("a header has wrong sizes")
    return header


def _refused(problem: str) -> Failure:
    text = f"Another process sent data that is no frame: {problem}.\nBuild the image again with this version of Slipway."
    return reported(Failure, "function-failed", "frames", text)


def pieces_of(header: str, bodies: Sequence[Body] = ()) -> List[Body]:
    """A frame, ready to be written.

    Args:
        header: JSON without the braces.
    """
    if not bodies:
        return [f"{{{header}}}\n".encode()]
    sizes = ",".join([str(len(each)) for each in bodies])
    return [f'{{{header},"sizes":[{sizes}]}}\n'.encode(), *bodies]


class Channel:
    """Both ways of a connection, on file descriptors or a socket. Each frame is written as a whole."""

    def __init__(self, source: Union[int, socket.socket], target: int = -1) -> None:
        self._source = source
        self._target = target
        self._lock = threading.Lock()
        if isinstance(source, int):
            os.set_blocking(source, True)
            os.set_blocking(target, True)

    def read(self, size: int) -> bytes:
        """At most that many bytes. None at the end, also of a connection that broke."""
        try:
            return os.read(self._source, size) if isinstance(self._source, int) else self._source.recv(size)
        except OSError:
            return b""

    def send(self, header: str, bodies: Sequence[Body] = ()) -> None:
        """Writes a frame.

        Raises:
            OSError: nobody reads it.
        """
        pieces = pieces_of(header, bodies)
        if len(pieces) > 1 and sum(map(len, pieces)) <= _PIECE:
            pieces = [b"".join(pieces)]
        with self._lock:
            for piece in pieces:
                self._write(piece)

    def _write(self, piece: Body) -> None:
        if not isinstance(self._source, int):
            self._source.sendall(piece)
            return
        written = os.write(self._target, piece)
        while written < len(piece):
            written += os.write(self._target, memoryview(piece)[written:])

    def close(self) -> None:
        """Ends the connection of a socket, also for a thread that reads or writes now."""
        if not isinstance(self._source, int):
            with suppress(OSError):
                self._source.shutdown(socket.SHUT_RDWR)
