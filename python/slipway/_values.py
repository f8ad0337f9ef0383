"""Values as bodies of frames, by docs/worker-protocol.md. Keep src/sdk/values.ts the same."""

import array
import json
import math
import re
import sys
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Set

from slipway._errors import Failure, UserError, reported
from slipway._files import MARK, File, compose_form, own_place, parse_form
from slipway._frames import Body

# Bytes of a value. It has to fit into memory a few times.
MAXIMUM_VALUE = 256 * 1024 * 1024
# Bytes of a value that stays in its frame.
_LONGEST_IN_FRAME = 16 * 1024 * 1024
# The largest integer that JavaScript has as a number.
_LARGEST = 2**53 - 1
# Arrays of numbers: the character that memoryview and array have for each type.
_TYPES = {
    "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float32": "f", "float64": "d",
}
_SIGNED, _UNSIGNED, _FLOATS = "bhilq", "BHILQ", "fd"
_PLAIN = frozenset((str, bool, float, type(None)))
_MARK_IN_JSON = f'"{MARK}"'.encode()
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z", re.ASCII)
_to_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def encode(value: Any, subject: str, is_last: bool = False, beginning: str = "") -> Sequence[Body]:
    """The bodies of a value: JSON, and bytes beside it. Takes the content of its files.

    Args:
        subject: the value's name in errors, such as `result of "count"`.
        is_last: whether files change no more.
        beginning: of paths in errors, which is left out there.

    Raises:
        UserError: something in it cannot be handed on. The message has its path. Or a file cannot be read.
        Failure: it is too large.
    """
    try:
        if _is_plain(value):
            text = _to_json(value).encode()
            return [text] if len(text) <= _LONGEST_IN_FRAME else _fitted([text], subject)
    except (ValueError, RecursionError):
        # It has a NaN, or contains itself: see below.
        pass
    encoder = _Encoder(is_last)
    try:
        return _fitted([_to_json(encoder.marked(value)).encode(), *encoder.attachments], subject)
    except _Mistake as mistake:
        problem, remedy = f"it{mistake.path[len(beginning) :]} {mistake.problem}", mistake.remedy
    except RecursionError:
        problem, remedy = "it contains itself, or is too deep", _REMEDY
    raise reported(UserError, "value-invalid", subject, f"The {subject} cannot be handed on: {problem}.\n{remedy}")


_REMEDY = (
    "Pass None, bools, numbers, strs, bytes, datetimes, arrays of numbers, lists, tuples, dicts by str of these, and files and folders."
)


class _Mistake(Exception):
    """The path is put together on the way out, so that it costs nothing where all is well."""

    def __init__(self, problem: str, remedy: str = _REMEDY) -> None:
        super().__init__(problem)
        self.path, self.problem, self.remedy = "", problem, remedy


def _is_plain(value: Any) -> bool:
    """Whether it is JSON as it stands, or will be refused as JSON."""
    kind = type(value)
    if kind is list or kind is tuple:
        members = value
    elif kind is dict:
        if MARK in value or not set(map(type, value)) <= {str}:
            return False
        members = value.values()
    else:
        return kind in _PLAIN or kind is int and -_LARGEST <= value <= _LARGEST
    return set(map(type, members)) <= _PLAIN or all(map(_is_plain, members))


class _Encoder:
    def __init__(self, is_last: bool) -> None:
        self._is_last = is_last
        self.attachments: List[Body] = []

    def marked(self, value: Any) -> Any:
        """The value as JSON. Raises _Mistake for what cannot be handed on."""
        if value is None or isinstance(value, (str, bool)):
            return value
        if isinstance(value, int):
            return value if -_LARGEST <= value <= _LARGEST else {MARK: "integer", "value": _digits(value)}
        if isinstance(value, float):
            return value if math.isfinite(value) else {MARK: "number", "value": _NAMES[str(float(value))]}
        if isinstance(value, (list, tuple)):
            return [self._member(f"[{index}]", each) for index, each in enumerate(value)]
        if isinstance(value, dict):
            wrong = next((key for key in value if not isinstance(key, str)), None)
            if wrong is not None or None in value:
                raise _Mistake(f"has the key {wrong!r}, which is a {type(wrong).__name__}")
            members = {key: self._member(f"[{json.dumps(key, ensure_ascii=False)}]", each) for key, each in value.items()}
            return {MARK: "object", "value": members} if MARK in value else members
        if isinstance(value, File):
            form = value.store(self._is_last)
            own_place().offer(form)
            return compose_form(form)
        if isinstance(value, datetime):
            return {MARK: "date", "value": _utc(value)}
        if isinstance(value, (bytes, bytearray)):
            return self._attached("bytes", value)
        return self._numbers(value)

    def _member(self, step: str, value: Any) -> Any:
        if type(value) in _PLAIN and type(value) is not float:
            return value
        try:
            return self.marked(value)
        except _Mistake as mistake:
            mistake.path = step + mistake.path
            raise

    def _numbers(self, value: Any) -> Any:
        """Arrays, and the numbers of numpy, which is only known if the program has imported it."""
        numpy = sys.modules.get("numpy")
        if numpy and isinstance(value, numpy.generic):
            if value.dtype.name in _TYPES or value.dtype.name == "bool":
                return self.marked(value.item())
            raise _Mistake(f"is a {value.dtype.name} of numpy")
        if numpy and type(value) in (numpy.ndarray, numpy.memmap):
            name = value.dtype.name
            if name not in _TYPES:
                raise _Mistake(f"is a numpy array of {name}")
            content = numpy.asarray(value, value.dtype.newbyteorder("<"), order="C")
            return self._array(name, content.shape, memoryview(content.reshape(-1).view("B")))
        if not isinstance(value, (memoryview, array.array)):
            raise _Mistake(f"is a {type(value).__name__}")
        view = memoryview(value)
        order, kind = (view.format[:1], view.format[1:]) if view.format[0] in "@=<>!" else ("@", view.format)
        is_swapped = order in (">!" if sys.byteorder == "little" else "@=<")
        if isinstance(value, memoryview) and view.ndim == 1 and kind in ("B", "c"):
            return self._attached("bytes", view.tobytes())
        prefix = next((name for name, kinds in _KINDS.items() if kind and kind in kinds), None)
        if prefix is None:
            raise _Mistake(f"is a {type(value).__name__} of {view.format!r}")
        content = view if order == "@" and view.c_contiguous else view.tobytes()
        if is_swapped:
            content = _swapped(bytes(content), view.itemsize)
        return self._array(f"{prefix}{view.itemsize * 8}", view.shape or (), content)

    def _array(self, name: str, shape: Sequence[int], content: Body) -> Any:
        return {**self._attached("array", content), "type": name, "shape": list(shape)}

    def _attached(self, kind: str, content: Body) -> Dict[str, Any]:
        if isinstance(content, memoryview):
            content = content.cast("B") if content.nbytes else b""
        self.attachments.append(content)
        return {MARK: kind, "at": len(self.attachments)}


_KINDS = {"int": _SIGNED, "uint": _UNSIGNED, "float": _FLOATS}
_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}


def _digits(value: int) -> str:
    try:
        return str(int(value))
    except ValueError:
        raise _Mistake("is an integer with too many digits", "Pass it as bytes.") from None


def _utc(value: datetime) -> str:
    if value.utcoffset() is None:
        raise _Mistake("is a datetime without a time zone", "Give it a time zone, such as `datetime.now(timezone.utc)`.")
    try:
        utc = value.astimezone(timezone.utc).replace(tzinfo=None)
    except OverflowError:
        raise _Mistake("is a datetime that UTC does not have") from None
    return utc.isoformat(timespec="microseconds" if utc.microsecond % 1000 else "milliseconds") + "Z"


def _swapped(content: bytes, size: int) -> bytes:
    swapped = bytearray(len(content))
    for index in range(size):
        swapped[index::size] = content[size - 1 - index :: size]
    return bytes(swapped)


def _fitted(bodies: List[Body], subject: str) -> Sequence[Body]:
    size = sum(map(len, bodies))
    if size <= _LONGEST_IN_FRAME:
        return bodies
    if size > MAXIMUM_VALUE:
        text = f"The {subject} takes more than {MAXIMUM_VALUE} bytes.\nWrite the data to a file, and pass file(path)."
        raise reported(Failure, "value-invalid", subject, text)
    sizes = f"[{','.join(str(len(each)) for each in bodies)}]\n"
    content = own_place().put_pieces([sizes.encode(), *bodies])
    return [_to_json(compose_form({"kind": "value", "name": "", **content})).encode()]


def decode(bodies: Sequence[bytes], on_file: Callable[[File], None] = lambda _: None) -> Any:
    """The value of bodies, which come from another process. Without bodies, None.

    Args:
        on_file: gets each file in it, and a large value before its content is read.

    Raises:
        Failure: they are damaged, or content is gone.
    """
    if not bodies:
        return None
    try:
        value = json.loads(bodies[0].decode())
        if _MARK_IN_JSON not in bodies[0]:
            return value
        if isinstance(value, dict) and value.get(MARK) == "value":
            bodies = _large(File("value", None, parse_form(value)), on_file)
            value = json.loads(bodies[0].decode())
            if isinstance(value, dict) and value.get(MARK) == "value":
                _unknown("value in a value")
        return _Decoder(bodies, on_file).unmarked(value)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        text = f"A value that came from a function is damaged: {type(error).__name__}: {str(error)[:200]}.\n"
        raise reported(Failure, "function-failed", "value", text + "Build the image again.") from error


def _large(reference: File, on_file: Callable[[File], None]) -> List[bytes]:
    # The line of sizes is short.
    if reference.size > MAXIMUM_VALUE + 4096:
        raise ValueError(f"{reference.size} bytes are too many")
    on_file(reference)
    content = own_place().read(reference.store())
    at = content.index(b"\n") + 1
    sizes = json.loads(content[: at - 1].decode())
    if not all(_is_count(size) for size in sizes) or at + sum(sizes) != len(content):
        raise ValueError("wrong sizes")
    bodies = []
    for size in sizes:
        bodies.append(content[at : at + size])
        at += size
    return bodies


class _Decoder:
    def __init__(self, bodies: Sequence[bytes], on_file: Callable[[File], None]) -> None:
        self._bodies = bodies
        self._on_file = on_file
        # Each body belongs to one object, so that a short value cannot take much memory.
        self._taken: Set[int] = {0}

    def unmarked(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.unmarked(each) for each in value]
        if not isinstance(value, dict):
            return value
        if MARK not in value:
            return {key: self.unmarked(each) for key, each in value.items()}
        kind = value[MARK]
        if kind == "object":
            return {key: self.unmarked(each) for key, each in value["value"].items()}
        if kind == "number":
            return _NUMBERS[value["value"]]
        if kind == "integer" and re.fullmatch(r"-?\d+", value["value"], re.ASCII):
            return int(value["value"])
        if kind == "date":
            return _date(value["value"])
        if kind == "bytes":
            return self._body(value)
        if kind == "array":
            return _array_of(value["type"], value["shape"], self._body(value))
        if kind in ("file", "folder"):
            made = File(kind, None, parse_form(value))
            self._on_file(made)
            return made
        return _unknown(str(kind))

    def _body(self, value: Dict[str, Any]) -> bytes:
        at = value["at"]
        if not _is_count(at) or at in self._taken:
            _unknown("body")
        self._taken.add(at)
        return self._bodies[int(at)]


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _unknown(what: str) -> NoReturn:
    raise ValueError(f"unknown {what}")


def _date(text: str) -> datetime:
    found = _DATE.fullmatch(text)
    if found is None:
        _unknown("date")
    *parts, fraction = found.groups()
    return datetime(*map(int, parts), int((fraction or "").ljust(6, "0")), tzinfo=timezone.utc)  # type: ignore[arg-type,misc]


def _array_of(name: str, shape: List[int], content: bytes) -> Any:
    kind = _TYPES[name]
    count = 1
    for length in shape:
        count *= length if _is_count(length) else _unknown("shape")
    size = array.array(kind).itemsize
    if count * size != len(content):
        _unknown("shape")
    with suppress(ImportError):
        import numpy

        # A copy, because a program may change its arrays.
        return numpy.frombuffer(content, numpy.dtype(name).newbyteorder("<")).reshape(shape).copy()
    if sys.byteorder != "little":
        content = _swapped(content, size)
    # An empty one has one dimension.
    return memoryview(bytearray(content)).cast(kind, shape) if count else memoryview(b"").cast(kind)  # type: ignore[call-overload]


def copied(bodies: Sequence[Body]) -> List[bytes]:
    return [bytes(each) for each in bodies]


def decode_arguments(bodies: Sequence[bytes]) -> List[Any]:
    """Arguments as a function gets them: its files are on this machine."""
    files: List[File] = []
    value = decode(bodies, files.append)
    if not isinstance(value, list):
        raise reported(Failure, "function-failed", "value", "The arguments of a call are no list.\nBuild the image again.")
    for each in files:
        if each.kind != "value":
            each.prepare()
    return value


def encode_item(item: Any, index: int, name: str) -> Sequence[Body]:
    return encode([item], f'item {index} for "{name}"', beginning="[0]")
