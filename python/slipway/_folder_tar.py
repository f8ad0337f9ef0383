"""Folders as tars. Keep src/sdk/folder-tar.ts the same: a folder gives the same bytes in both."""

import os
import stat
import tarfile
from typing import IO, Iterator, Optional, Tuple

from slipway._errors import UserError, reported

_PIECE = 1 << 20


class NotATar(Exception):
    """A tar that `tar_of` did not make."""


def tar_of(folder: str) -> Iterator[bytes]:
    """The bytes of a folder as a tar, which depend only on names, content, links, and whether files are executable.

    Raises:
        UserError: something is neither a file, a folder nor a symbolic link.
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
            yield _header(path, tarfile.SYMTYPE, 0o755, target=os.readlink(source))
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
    """The fallback for readers without PAX: the end of a name, with `_` for characters that are not ASCII. Characters are those of UTF-16."""
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


def unpack_tar(tar: str, folder: str) -> None:
    """Makes a folder of a tar that `tar_of` gave. Nothing is written outside of the folder: links are made when all files are there.

    Raises:
        NotATar: it is not such a tar.
    """
    os.makedirs(folder, exist_ok=True)
    links = []
    try:
        with tarfile.open(tar, "r:", encoding="utf-8") as archive:
            for entry in archive:
                parts = [part for part in entry.name.split("/") if part not in ("", ".")]
                if not parts or ".." in parts:
                    raise NotATar(f"a path is {entry.name}")
                path = os.path.join(folder, *parts)
                if entry.isdir():
                    os.makedirs(path, exist_ok=True)
                elif entry.issym():
                    links.append((path, entry.linkname))
                elif entry.isreg():
                    _unpack_file(archive, entry, path)
                else:
                    raise NotATar(f"{entry.name} is of type {entry.type!r}")
                # tarfile keeps all entries in memory.
                archive.members = []
    except tarfile.TarError as error:
        raise NotATar(str(error)) from error
    for path, target in links:
        os.symlink(target, path)


def _unpack_file(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    content = archive.extractfile(entry)
    assert content
    with content, open(path, "xb") as out:
        left = entry.size
        while left > 0:
            piece = content.read(min(left, _PIECE))
            if not piece:
                raise NotATar(f"{entry.name} is cut short")
            left -= len(piece)
            out.write(piece)
    if entry.mode & 0o100:
        os.chmod(path, 0o755)
