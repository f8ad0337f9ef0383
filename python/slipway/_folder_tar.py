"""Folders as tars. Keep src/sdk/folder-tar.ts the same: a folder gives the same bytes in both."""

import os
import re
import stat
import tarfile
from typing import IO, Dict, Iterator, List, NamedTuple, Optional, Tuple

from slipway._errors import UserError, reported

_PIECE = 1 << 20


class NotATar(Exception):
    """A tar that `tar_of` did not make."""


def tar_of(folder: str) -> Iterator[bytes]:
    """The bytes of a folder as a tar, which depend only on names, content, links, and whether files are executable.

    Raises:
        UserError: something is neither a file, a folder nor a symbolic link, or a link can lead out.
    """
    yield from _below(folder, "")
    yield bytes(2 * tarfile.BLOCKSIZE)


def _below(folder: str, prefix: str) -> Iterator[bytes]:
    for name in sorted(os.listdir(os.path.join(folder, prefix)), key=os.fsencode):
        path = f"{prefix}/{name}" if prefix else name
        source = os.path.join(folder, path)
        mode = os.lstat(source).st_mode
        if stat.S_ISDIR(mode):
            yield _header(path, tarfile.DIRTYPE, 0o755)
            yield from _below(folder, path)
        elif stat.S_ISLNK(mode):
            target = os.readlink(source)
            if not _stays_inside(path, target):
                text = (
                    f"{source} is a symbolic link that can lead out of the folder: to {target}.\n"
                    "Replace it with what it leads to, or leave it out."
                )
                raise reported(UserError, "file-unreadable", source, text)
            yield _header(path, tarfile.SYMTYPE, 0o755, target=target)
        elif stat.S_ISREG(mode):
            with open(source, "rb") as content:
                size = os.fstat(content.fileno()).st_size
                yield _header(path, tarfile.REGTYPE, 0o755 if mode & 0o100 else 0o644, size)
                yield from read_whole(content, size, source)
                yield bytes(-size % tarfile.BLOCKSIZE)
        else:
            text = f"{source} is neither a file, a folder nor a symbolic link.\nLeave it out of the folder."
            raise reported(UserError, "file-unreadable", source, text)


def _header(path: str, kind: bytes, mode: int, size: int = 0, target: str = "") -> bytes:
    """The header of an entry: `header` of src/layer/header.ts. tarfile writes other bytes in other versions."""
    raw = os.fsencode(f"{path}/" if kind == tarfile.DIRTYPE else path)
    link = os.fsencode(target)
    records = []
    name = _split(raw)
    if name is None:
        records.append((b"path", raw))
        name = (b"", _ascii_tail(raw))
    if len(link) > 100 or not link.isascii():
        records.append((b"linkpath", link))
        link = _ascii_tail(link)
    if size > _MAXIMUM_SIZE:
        records.append((b"size", str(size).encode()))
        size = 0
    block = _block(name, kind, mode, size, link)
    if not records:
        return block
    body = b"".join(_record(key, value) for key, value in records)
    extended = _block((b"", (b"PaxHeaders/" + name[1])[:100]), tarfile.XHDTYPE, 0o644, len(body), b"")
    return extended + body + bytes(-len(body) % tarfile.BLOCKSIZE) + block


# The largest size that ustar's octal field holds.
_MAXIMUM_SIZE = 0o77777777777


def _split(path: bytes) -> Optional[Tuple[bytes, bytes]]:
    """Splits a path at a slash into the two fields of ustar. None if it does not fit."""
    if not path.isascii():
        return None
    if len(path) <= 100:
        return b"", path
    slash = path.find(b"/", len(path) - 101)
    if slash <= 0 or slash > 155 or slash == len(path) - 1:
        return None
    return path[:slash], path[slash + 1 :]


def _ascii_tail(text: bytes) -> bytes:
    """The fallback for readers without PAX: the end of a name, with `_` for those units of UTF-16 that are not ASCII."""
    characters = text.decode("utf-8", "replace").encode("utf-16-le")[-200:]
    units = (int.from_bytes(characters[at : at + 2], "little") for at in range(0, len(characters), 2))
    return bytes(unit if 0x20 <= unit <= 0x7E else 0x5F for unit in units)


def _record(key: bytes, value: bytes) -> bytes:
    """`LENGTH KEY=VALUE` and a line end, where LENGTH counts its own digits."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _block(name: Tuple[bytes, bytes], kind: bytes, mode: int, size: int, link: bytes) -> bytes:
    fields = {
        0: name[1],
        100: b"%07o" % mode,
        108: b"0000000",
        116: b"0000000",
        124: b"%011o" % size,
        136: b"00000000000",
        148: b"        ",
        156: kind,
        157: link,
        257: b"ustar\x0000",
        329: b"0000000",
        337: b"0000000",
        345: name[0],
    }
    block = bytearray(tarfile.BLOCKSIZE)
    for offset, text in fields.items():
        block[offset : offset + len(text)] = text
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def read_whole(content: IO[bytes], size: int, name: str) -> Iterator[bytes]:
    """The content of a file, in pieces.

    Raises:
        UserError: it has not that size.
    """
    left = size
    while left > 0:
        piece = content.read(min(left, _PIECE))
        if not piece:
            text = f"{name} became shorter while it was read.\nHand it on after everything has been written."
            raise reported(UserError, "file-unreadable", name, text)
        left -= len(piece)
        yield piece


def unpack_tar(tar: Iterator[bytes], folder: str) -> None:
    """Makes a new folder of a tar.

    Takes only what `tar_of` can have written, byte for byte: every entry is below folders that this call made, and no
    link can lead out. So nothing outside of the folder is written or shown, whoever made the tar. `tarfile` and its
    filters take more, and not the same in each version.

    Raises:
        NotATar: it is not such a tar.
        OSError: the folder cannot hold it.
    """
    reader = _Reader(tar)
    os.mkdir(folder)
    last: List[str] = []
    is_folder = True
    while True:
        start = reader.position
        found = _next_entry(reader)
        if found is None:
            return
        names = found.path.split("/")
        problem = _problem_of(found, names, last, is_folder)
        if problem:
            raise NotATar(f"{problem} at byte {start}")
        path = os.path.join(folder, found.path)
        # Each of these fails if something is there, also by a name that differs only in case.
        if found.kind == tarfile.DIRTYPE:
            os.mkdir(path)
        elif found.kind == tarfile.SYMTYPE:
            os.symlink(found.target, path)
        else:
            _unpack_file(reader, found, path)
        last, is_folder = names, found.kind == tarfile.DIRTYPE


class _Reader:
    """Reads a stream in pieces of any size."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = memoryview(b"")
        self.position = 0

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next bytes, or fewer at the end."""
        while size > 0:
            if not self._rest:
                self._rest = memoryview(next(self._source, b""))
                if not self._rest:
                    return
            piece = self._rest[:size]
            self._rest = self._rest[len(piece) :]
            self.position += len(piece)
            size -= len(piece)
            yield piece

    def read(self, size: int) -> bytes:
        return b"".join(self.pieces(size))


class _Entry(NamedTuple):
    path: str
    kind: bytes
    target: str
    size: int
    mode: int


def _next_entry(reader: _Reader) -> Optional[_Entry]:
    """The next entry. None: the tar ends here."""
    start = reader.position
    block = raw = reader.read(tarfile.BLOCKSIZE)
    if block == bytes(tarfile.BLOCKSIZE):
        if reader.read(tarfile.BLOCKSIZE + 1) != block:
            raise NotATar(f"the end is not that of a folder at byte {start}")
        return None
    records: Dict[bytes, bytes] = {}
    if block[156:157] == tarfile.XHDTYPE:
        size = _octal(block[124:136])
        if size > _MAXIMUM_EXTENSION:
            raise NotATar(f"a header is too long at byte {start}")
        body = reader.read(size + -size % tarfile.BLOCKSIZE)
        records = _records(body[:size])
        block = reader.read(tarfile.BLOCKSIZE)
        raw += body + block
    kind = block[156:157]
    prefix, name = _text(block[345:500]), _text(block[:100])
    raw_path = records.get(b"path", prefix + b"/" + name if prefix else name)
    size = _octal(records.get(b"size", block[124:136]), 10 if b"size" in records else 8)
    path = os.fsdecode(raw_path[:-1] if kind == tarfile.DIRTYPE and raw_path.endswith(b"/") else raw_path)
    # Of another entry, it would be lost.
    target = os.fsdecode(records.get(b"linkpath", _text(block[157:257]))) if kind == tarfile.SYMTYPE else ""
    mode = 0o755 if kind != tarfile.REGTYPE or block[100:107] == b"0000755" else 0o644
    is_known = kind == tarfile.REGTYPE or kind in (tarfile.DIRTYPE, tarfile.SYMTYPE) and size == 0
    if not is_known or _header(path, kind, mode, size, target) != raw:
        raise NotATar(f"an entry is not that of a folder at byte {start}")
    return _Entry(path, kind, target, size, mode)


# Bytes of a PAX header.
_MAXIMUM_EXTENSION = 1 << 20


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _octal(text: bytes, base: int = 8) -> int:
    """A number, which is wrong for what `_header` does not write."""
    digits = _text(text)
    return int(digits, base) if re.fullmatch(b"[0-7]{1,20}" if base == 8 else b"[0-9]{1,20}", digits) else 0


def _records(content: bytes) -> Dict[bytes, bytes]:
    """The records of a PAX header, as far as they are well-formed."""
    records: Dict[bytes, bytes] = {}
    at = 0
    while at < len(content):
        found = re.compile(rb"([0-9]{1,7}) (path|linkpath|size)=").match(content, at)
        end = at + int(found[1]) if found else 0
        if not found or end <= found.end():
            break
        records[found[2]] = content[found.end() : end - 1]
        at = end
    return records


def _problem_of(found: _Entry, names: List[str], last: List[str], is_folder: bool) -> str:
    """Entries are in the order of `tar_of`: each directly in a folder that is still open, after all smaller names."""
    depth = len(names) - 1
    if any(name in ("", ".", "..") or "\0" in name for name in names):
        return "a path is not one of a folder"
    if depth > len(last) - (0 if is_folder else 1) or names[:depth] != last[:depth]:
        return "a path is not in a folder before it"
    if depth < len(last) and os.fsencode(last[depth]) >= os.fsencode(names[depth]):
        return "a path is out of order"
    if found.kind == tarfile.SYMTYPE and not _stays_inside(found.path, found.target):
        return "a symbolic link leads out of the folder"
    return ""


def _stays_inside(path: str, target: str) -> bool:
    """Tells if a link leads to a path in the folder, or to nothing, however other links change.

    It climbs no higher than the folder, and only at its beginning, where every step is a folder and no link.
    """
    steps = target.split("/")
    climbs = 0
    while climbs < len(steps) and steps[climbs] == "..":
        climbs += 1
    if not target or target.startswith("/") or "\0" in target or climbs > path.count("/"):
        return False
    return ".." not in steps[climbs:]


def _unpack_file(reader: _Reader, entry: _Entry, path: str) -> None:
    left = entry.size
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, entry.mode), "wb") as out:
        for piece in reader.pieces(entry.size):
            out.write(piece)
            left -= len(piece)
    padding = reader.read(-entry.size % tarfile.BLOCKSIZE)
    if left > 0 or len(padding) < -entry.size % tarfile.BLOCKSIZE:
        raise NotATar(f"it is cut short at byte {reader.position}")
    if any(padding):
        raise NotATar(f"a file is not padded at byte {reader.position}")
