"""Frames, also those of a hostile sender. docs/worker-protocol.md describes them."""

import json
import os
import random
import socket
import threading
import tracemalloc
import unittest
from typing import Any, Callable, List

from slipway import Failure
from slipway._frames import Channel, frames, pieces_of


def reader(data: bytes, size: Callable[[], int] = lambda: 1 << 20) -> Callable[[int], bytes]:
    """Reads data in pieces of so many bytes."""
    rest = memoryview(data)

    def read(most: int) -> bytes:
        nonlocal rest
        length = min(most, size())
        piece, rest = rest[:length], rest[length:]
        return bytes(piece)

    return read


def written(header: Any, *bodies: bytes) -> bytes:
    return b"".join(pieces_of(json.dumps(header)[1:-1], bodies))


class Frames(unittest.TestCase):
    def test_come_back_in_whatever_pieces_they_arrive(self) -> None:
        seed = int(os.environ.get("SLIPWAY_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        draw = random.Random(seed)
        for _ in range(200):
            sent = [
                ({"type": draw.choice("ab"), "text": "é\n" * draw.randrange(9)}, [bytes(draw.choice((0, 1, 999))) for _ in range(draw.randrange(4))])
                for _ in range(draw.randrange(6))
            ]
            data = b"".join(written(header, *bodies) for header, bodies in sent)
            got = list(frames(reader(data, lambda: draw.choice((1, 7, 4096)))))
            self.assertEqual([({**each.header, "sizes": 0}, each.bodies) for each in got], [({**header, "sizes": 0}, bodies) for header, bodies in sent])

    def test_that_are_cut_short_do_not_count(self) -> None:
        whole = written({"type": "a"}) + written({"type": "b"}, b"12345")
        for end in range(len(whole)):
            got: List[str] = [each.header["type"] for each in frames(reader(whole[:end]))]
            self.assertEqual(got, ["a"] if end >= len(written({"type": "a"})) else [])

    def test_of_another_form_end_the_connection(self) -> None:
        for data in (
            b"no json\n", b"[]\n", b"5\n", b"null\n", b"{}\n", b'{"type":5}\n', b'{"type":"a","sizes":5}\n', b'{"type":"a","sizes":[-1]}\n',
            b'{"type":"a","sizes":[true]}\n', b'{"type":"a","sizes":[1.0]}\n', b'{"type":"a","sizes":["1"]}\n', b'{"type":"\xff"}\n',
            b'{"type":"a","sizes":[268435457]}\n', b'{"type":"a","sizes":[200000000,200000000]}\n', b'{"type":"a","sizes":[1e400]}\n',
            b'{"type":"a","sizes":[' + b"9" * 5000 + b"]}\n", b"[" * 60_000 + b"\n", b'{"type":"' + b"a" * 65_536 + b'"}\n', b"x" * 70_000,
        ):
            with self.subTest(data[:40]), self.assertRaises(Failure) as raised:
                list(frames(reader(data)))
            self.assertEqual((raised.exception.code, raised.exception.culprit), ("function-failed", "frames"))

    def test_take_no_more_memory_than_they_have_bytes(self) -> None:
        tracemalloc.start()
        try:
            # The bodies that the header promises are missing.
            list(frames(reader(b'{"type":"a","sizes":[268435456]}\n' + b"x" * 1000)))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 8 << 20)

    def test_that_are_large_go_when_they_have_been_taken(self) -> None:
        source = iter([written({"type": "a"}, b"x" * (4 << 20)), b""])
        stream = frames(lambda _: next(source))
        tracemalloc.start()
        try:
            size = len(next(stream).bodies[0])
            left = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        self.assertEqual((size, left < 1 << 20), (4 << 20, True))

    def test_have_bodies_only_where_that_is_allowed(self) -> None:
        with self.assertRaises(Failure):
            list(frames(reader(written({"type": "attach"}, b"x")), lambda: 0))

    def test_are_written_whole_also_where_little_fits(self) -> None:
        one, other = socket.socketpair()
        one.setblocking(False)
        source = one.detach()
        body = os.urandom(3 << 20)
        channel = Channel(source, source)
        sender = threading.Thread(target=lambda: [channel.send('"type":"a"', [body, b"", body]) for _ in range(2)])
        sender.start()
        got = frames(other.recv)
        for _ in range(2):
            self.assertEqual(next(got).bodies, [body, b"", body])
        sender.join()
        other.close()
        with self.assertRaises(OSError):
            channel.send('"type":"a"')
        self.assertEqual(channel.read(1), b"")
        os.close(source)


if __name__ == "__main__":
    unittest.main()
