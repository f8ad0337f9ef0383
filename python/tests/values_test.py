"""Values between a program and its functions. src/sdk/values.test.ts has the same form."""

import array
import ctypes
import json
import math
import os
import random
import struct
import sys
import tempfile
import timeit
import unittest
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any, List, Tuple
from unittest import mock

from slipway import Failure, UserError, _file_place, _values
from slipway._values import copied, decode, decode_arguments, encode

try:
    import numpy
except ImportError:
    numpy = None  # type: ignore[assignment]

DIGEST = "sha256:" + "a" * 64


def sent(value: Any) -> Tuple[Any, List[bytes]]:
    """The JSON of a value, and the bytes beside it."""
    first, *others = copied(encode(value, "it"))
    return json.loads(first), others


def through(value: Any) -> Any:
    return decode(copied(encode(value, "it")))


class Deep(IntEnum):
    ONE = 1


class Values(unittest.TestCase):
    def test_that_json_has_are_json(self) -> None:
        for value in (None, True, 0, -1.5, "é\n\ud800", [], {}, [1, [2, {"a": None}]], 2**53 - 1, -(2**53 - 1)):
            self.assertEqual(sent(value), (value, []))
            self.assertEqual(through(value), value)
        self.assertEqual(through((1, (2,))), [1, [2]])
        self.assertEqual(through({"a": Deep.ONE}), {"a": 1})
        self.assertEqual(math.copysign(1, through(-0.0)), -1)
        self.assertEqual(math.copysign(1, decode([b'{"$slipway":"number","value":"-0"}'])), -1)

    def test_of_numbers_that_json_lacks_have_a_form(self) -> None:
        for value, name in ((math.inf, "Infinity"), (-math.inf, "-Infinity"), (math.nan, "NaN")):
            self.assertEqual(sent([value]), ([{"$slipway": "number", "value": name}], []))
            self.assertEqual(str(through({"a": value})), str({"a": value}))
        for number in (2**53, -(2**53), 10**200):
            self.assertEqual(sent([number]), ([{"$slipway": "integer", "value": str(number)}], []))
            self.assertEqual(through([[number]]), [[number]])

    def test_may_be_bytes(self) -> None:
        self.assertEqual(sent({"a": b"\0\xff", "b": b""}), ({"a": {"$slipway": "bytes", "at": 1}, "b": {"$slipway": "bytes", "at": 2}}, [b"\0\xff", b""]))
        for value in (b"", b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(b"abcdef")[::2]):
            got = through([value])
            self.assertEqual((got, type(got[0])), ([bytes(value)], bytes))

    def test_may_be_points_in_time(self) -> None:
        zone = timezone(timedelta(hours=2))
        for value, text in (
            (datetime(2026, 11, 24, 10, tzinfo=timezone.utc), "2026-11-24T10:00:00.000Z"),
            (datetime(2026, 11, 24, 12, 0, 0, 123_000, tzinfo=zone), "2026-11-24T10:00:00.123Z"),
            (datetime(2026, 11, 24, 12, 0, 0, 123_456, tzinfo=zone), "2026-11-24T10:00:00.123456Z"),
            (datetime(1, 1, 1, tzinfo=timezone.utc), "0001-01-01T00:00:00.000Z"),
        ):
            self.assertEqual(sent(value)[0], {"$slipway": "date", "value": text})
            self.assertEqual((through(value), through(value).utcoffset()), (value, timedelta(0)))

    def test_may_be_arrays_of_numbers(self) -> None:
        form, bodies = sent(array.array("h", [1, -2]))
        self.assertEqual((form, bodies), ({"$slipway": "array", "type": "int16", "shape": [2], "at": 1}, [b"\1\0\xfe\xff"]))
        grid = memoryview(bytearray(range(12))).cast("H", [2, 3])
        self.assertEqual(sent(grid)[0], {"$slipway": "array", "type": "uint16", "shape": [2, 3], "at": 1})
        big = (ctypes.c_double.__ctype_be__ * 2)(1.5, -2)
        self.assertEqual(sent(memoryview(big))[1], [struct.pack("<2d", 1.5, -2)])
        self.assertEqual(sent(memoryview(array.array("i", range(6)))[::2])[1], [struct.pack("<3i", 0, 2, 4)])
        with mock.patch.dict(sys.modules, {"numpy": None}):
            got = through([array.array("d", [1.5, -2]), grid, array.array("B"), memoryview(bytearray(8)).cast("d", [])])
            self.assertEqual([each.tolist() for each in got], [[1.5, -2], grid.tolist(), [], 0.0])
            self.assertEqual([each.format for each in got], ["d", "H", "B", "d"])
            got[0][0] = 7
            self.assertEqual(through(got)[0].tolist(), [7, -2])
            self.assertEqual(decode([b'{"$slipway":"array","type":"int8","shape":[0,5],"at":1}', b""]).tolist(), [])

    @unittest.skipIf(numpy is None, "numpy is not installed")
    def test_may_be_arrays_of_numpy(self) -> None:
        draw = numpy.random.default_rng(7)
        for name in _values._TYPES:
            for shape in ((), (0,), (5,), (2, 3), (3, 0, 2), (2, 3, 4)):
                value = numpy.asarray(draw.random(shape) * 100).astype(name)
                for given in (value, value.T, value[::-1] if shape else value, value.astype(value.dtype.newbyteorder(">"))):
                    got = through([given])[0]
                    self.assertEqual((got.dtype, got.shape, type(got)), (numpy.dtype(name), given.shape, numpy.ndarray))
                    self.assertTrue((got == given).all() and got.flags.writeable)
                scalar = value.reshape(-1)[:1]
                self.assertEqual([through(each) for each in scalar], [each.item() for each in scalar])
        self.assertIs(through(numpy.bool_(True)), True)
        self.assertEqual(through(numpy.str_("a")), "a")
        for value, words in (
            (numpy.array([object()]), "is a numpy array of object"),
            (numpy.array(["a"]), "is a numpy array of str"),
            (numpy.array([True]), "is a numpy array of bool"),
            (numpy.ma.masked_array([1], [True]), "is a MaskedArray"),
            (numpy.datetime64("2026-01-01"), "is a datetime64"),
            (numpy.complex128(1j), "is a complex128 of numpy"),
        ):
            self.assertIn(f"it[0] {words}", self.refusal([value]))

    def test_do_not_import_numpy(self) -> None:
        with mock.patch.dict(sys.modules, {"numpy": None}):
            encode([array.array("d", [1]), b"x"], "it")

    def refusal(self, value: Any) -> str:
        with self.assertRaises(UserError) as raised:
            encode(value, "result of f")
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("value-invalid", "result of f"))
        return str(raised.exception)

    def test_that_cannot_be_handed_on_are_named_by_their_path(self) -> None:
        looped: List[Any] = []
        looped.append(looped)
        deep: Any = 1
        for _ in range(100_000):
            deep = [deep]
        for value, words in (
            ({"a": [0, 1, 2, {1, 2}]}, 'it["a"][3] is a set.\nPass None,'),
            ([{1: 2}], "it[0] has the key 1, which is a int."),
            ({"é": {None: 2}}, 'it["é"] has the key None, which is a NoneType.'),
            ([1, datetime(2026, 1, 1)], "it[1] is a datetime without a time zone.\nGive it a time zone,"),
            (date(2026, 1, 1), "it is a date."),
            ([Decimal(1)], "it[0] is a Decimal."),
            (1j, "it is a complex."),
            (object, "it is a type."),
            (array.array("u", "a"), "it is a array of "),
            (memoryview(b"\0\1").cast("?"), "it is a memoryview of '?'"),
            (looped, "it contains itself, or is too deep."),
            (deep, "it contains itself, or is too deep."),
            ([float("nan"), {"a": (x for x in ())}], 'it[1]["a"] is a generator.'),
        ):
            self.assertIn(words, self.refusal(value))
        with self.assertRaises(UserError) as raised:
            _values.encode_item({"a": {1}}, 3, "f")
        self.assertIn('The item 3 for "f" cannot be handed on: it["a"] is a set.', str(raised.exception))
        if sys.version_info >= (3, 11):
            self.assertIn("it[0] is an integer with too many digits.", self.refusal([10**5000]))

    def test_that_are_large_are_files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            place = _file_place.FilePlace(folder, _file_place.lost)
            with mock.patch.object(_values, "own_place", return_value=place), mock.patch("slipway._files.own_place", return_value=place):
                for value in ("x" * (17 << 20), [b"a" * (9 << 20), b"b" * (9 << 20), 1]):
                    form, bodies = sent(value)
                    self.assertEqual((form["$slipway"], bodies, sorted(form)), ("value", [], ["$slipway", "digest", "size"]))
                    self.assertEqual(through(value), value)
                with mock.patch.object(_values, "MAXIMUM_VALUE", 17 << 20), self.assertRaises(Failure) as raised:
                    encode([b"x" * (18 << 20)], "it")
                self.assertEqual((raised.exception.code, raised.exception.culprit), ("value-invalid", "it"))
                inner = place.put_pieces([b"[2]\n{}"])
                for content in (b"", b"[]\n", b"[1]\n{}", b"[3]\n{}", b"x\n{}", b"[-1,3]\n{}", f'[9]\n{{"$slipway":"value","digest":"{inner["digest"]}","size":6}}'.encode()):
                    form = {"$slipway": "value", **place.put_pieces([content])}
                    with self.subTest(content), self.assertRaises(Failure):
                        decode([json.dumps(form).encode()])

    def test_of_foreign_processes_are_refused_when_damaged(self) -> None:
        marked = [
            {"$slipway": "socket"}, {"$slipway": 1}, {"$slipway": None}, {"$slipway": []}, {"$slipway": {}}, {"$slipway": "object"},
            {"$slipway": "object", "value": 1}, {"$slipway": "number", "value": "1"}, {"$slipway": "number", "value": []},
            {"$slipway": "integer", "value": "1.0"}, {"$slipway": "integer", "value": 5}, {"$slipway": "integer", "value": "9" * 10_000},
            {"$slipway": "date", "value": "yesterday"}, {"$slipway": "date", "value": "2026-13-01T00:00:00Z"}, {"$slipway": "date"},
            {"$slipway": "date", "value": "+275760-09-13T00:00:00.000Z"}, {"$slipway": "bytes"}, {"$slipway": "bytes", "at": 0},
            {"$slipway": "bytes", "at": 9}, {"$slipway": "bytes", "at": -1}, {"$slipway": "bytes", "at": True}, {"$slipway": "bytes", "at": "1"},
            [{"$slipway": "bytes", "at": 1}, {"$slipway": "bytes", "at": 1}],
            *({"$slipway": "array", "type": name, "shape": shape, "at": 1} for name, shape in (
                ("int8", [9]), ("int8", [-1]), ("int8", [True] * 8), ("int8", 8), ("int8", "8"), ("int8", ["8"]), ("int8", [8.0]), ("float128", [8]),
                ("bool", [8]), (None, [8]), ("int8", [10**30]), ("int8", [0, 10**30]), ("int16", [8]), ("int8", [2] * 3 + [1] * 500),
            )),
            {"$slipway": "file"}, {"$slipway": "file", "digest": DIGEST, "size": -1, "name": "x"}, {"$slipway": "file", "digest": DIGEST, "size": 1, "name": "../x"},
            {"$slipway": "file", "digest": "md5:1", "size": 1, "name": "x"}, [{"$slipway": "value", "digest": DIGEST, "size": 1}],
        ]
        texts = [b"", b"nothing", b"\xff", b"[" * 100_000, b'{"$slipway":' * 50_000, b"9" * 10_000 + b"\n" if sys.version_info >= (3, 11) else b"x"]
        for text in [*(json.dumps(each).encode() for each in marked), *texts]:
            with self.subTest(text[:80]), self.assertRaises(Failure) as raised:
                decode([text, b"12345678"])
            self.assertEqual(raised.exception.code, "function-failed")
        with self.assertRaises(Failure):
            decode_arguments([b'{"a":1}'])

    def test_come_back_whatever_they_are(self) -> None:
        seed = int(os.environ.get("SLIPWAY_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        draw = random.Random(seed)
        for _ in range(2000):
            value = drawn(draw, 4)
            self.assertEqual(repr(through(value)), repr(value))

    def test_damaged_at_any_byte_are_refused_or_other_values(self) -> None:
        seed = int(os.environ.get("SLIPWAY_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        draw = random.Random(seed)
        for _ in range(3000):
            first, *others = copied(encode(drawn(draw, 3), "it"))
            damaged = bytearray(first)
            for _ in range(draw.randrange(1, 4)):
                damaged[draw.randrange(len(damaged))] = draw.choice(b'"[]{},:019-.eN$\\x\xff')
            try:
                decode([bytes(damaged), *others])
            except Failure as error:
                self.assertEqual(error.code, "function-failed")

    def test_that_are_small_cost_little(self) -> None:
        for value in ([7], [{"path": "a.csv", "score": 0.5, "tags": ["a", "b"]}]):
            bodies = copied(encode(value, "it"))
            there = min(timeit.repeat(lambda: encode(value, "it"), number=10_000, repeat=5)) / 10_000
            back = min(timeit.repeat(lambda: decode_arguments(bodies), number=10_000, repeat=5)) / 10_000
            print(f"{value}: {there * 1e6:.1f} µs there, {back * 1e6:.1f} µs back")
            self.assertLess(max(there, back), 100e-6)


def drawn(draw: random.Random, depth: int) -> Any:
    """A value of a user, which may look like one of the forms."""
    kind = draw.randrange(10 if depth else 7)
    if kind == 0:
        return draw.choice([None, True, 0.0, -0.0, 1e300, math.inf, math.nan, "", "$slipway", "é\ud800", b"", "\u2028"])
    if kind == 1:
        return draw.choice([1, -1]) * draw.getrandbits(draw.choice([1, 30, 53, 54, 300]))
    if kind == 2:
        return bytes(draw.getrandbits(8) for _ in range(draw.randrange(9)))
    if kind == 3:
        return datetime(draw.randrange(1, 9999), 2, 3, tzinfo=timezone.utc) + timedelta(microseconds=draw.randrange(10**10))
    if kind == 4:
        return draw.random() * 10 ** draw.randrange(-300, 300)
    if kind in (5, 6):
        return "".join(chr(draw.choice([draw.randrange(0x20, 0x7F), draw.randrange(0xD7FF)])) for _ in range(draw.randrange(5)))
    if kind == 7:
        return [drawn(draw, depth - 1) for _ in range(draw.randrange(4))]
    if kind == 8:
        return {"$slipway": draw.choice(["file", "object", "bytes", "value", 1]), "value": drawn(draw, depth - 1), "at": 1}
    keys = ["$slipway", "value", "digest", "a", "é", ""]
    return {draw.choice(keys): drawn(draw, depth - 1) for _ in range(draw.randrange(4))}


if __name__ == "__main__":
    unittest.main()
