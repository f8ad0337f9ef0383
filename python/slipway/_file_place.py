"""Content of files on this machine. Keep src/sdk/file-place.ts the same."""

import atexit
import hashlib
import itertools
import os
import secrets
import shutil
import stat
import tempfile
import threading
from typing import IO, Any, Callable, Dict, Iterable, Iterator, Optional

from slipway import _folder_tar, _running
from slipway._errors import Failure, UserError, reported
from slipway._paths import user_path

# Kind, digest, size and name.
Form = Dict[str, Any]


class FilePlace:
    """Content of files on this machine: a folder of files that have the hex of their sha256 as names.

    Args:
        fetch: brings content to a path, whole and verified, or raises.
        store: hands on content that this process made.
        stays_away: whether what takes files from here can also take them from where they came.
    """

    def __init__(
        self,
        folder: str,
        fetch: Callable[[Form, str], None],
        store: Optional[Callable[[Form, str], None]] = None,
        stays_away: bool = False,
    ) -> None:
        self.folder = folder
        self._stays_away = stays_away
        self._fetch = fetch
        self._store = store
        self._verified: Dict[str, bool] = {}
        self._lock = threading.RLock()
        self._prepared = itertools.count()

    def path_of(self, content: Form) -> str:
        return os.path.join(self.folder, content["digest"].partition(":")[2])

    def has(self, content: Form) -> bool:
        """Whether it is here. A link or a pipe, which a container can make, is not content."""
        path = self.path_of(content)
        return os.path.isfile(path) and not os.path.islink(path)

    def scratch(self) -> str:
        """The folder of the call that runs, or of the program. It goes with it."""
        call = _running.current()
        if call.scratch is None:
            call.scratch = tempfile.mkdtemp(prefix="scratch-", dir=self.folder)
            # Slipway must be able to remove it, and what it is in may belong to another user: the one of a container.
            os.chmod(call.scratch, 0o777)
            if call is _running.PROGRAM:
                atexit.register(end_scratch, call)
        return call.scratch

    def put(self, source: str, kind: str, may_link: bool) -> Form:
        def write(target: str) -> Form:
            if kind == "folder":
                if not os.path.isdir(source):
                    raise _unreadable(source, "is not a folder" if os.path.exists(source) else "does not exist")
                return _write_hashed(_folder_tar.tar_of(source), target)
            try:
                size = os.stat(source).st_size
                if not os.path.isfile(source):
                    raise _unreadable(source, "is not a file", "Hand a folder on with folder().")
                with open(source, "rb") as content:
                    pieces = _folder_tar.read_whole(content, size, source)
                    is_own = os.path.abspath(source).startswith(os.path.join(self.folder, "scratch-"))
                    if may_link and is_own and not os.path.islink(source) and _link(source, target):
                        os.fchmod(content.fileno(), 0o444)
                        return _hashed(pieces, None)
                    return _write_hashed(pieces, target)
            except FileNotFoundError as error:
                raise _unreadable(source, "does not exist") from error
            except PermissionError as error:
                raise _unreadable(source, f"cannot be read: {error.strerror}") from error

        return self._take(write)

    def put_pieces(self, pieces: Iterable[Any]) -> Form:
        return self._take(lambda target: _write_hashed(pieces, target))

    def _take(self, write: Callable[[str], Form]) -> Form:
        partial = os.path.join(self.folder, f".{secrets.token_hex(8)}")
        try:
            content = write(partial)
            os.replace(partial, self.path_of(content))
        finally:
            _remove(partial)
        self._verified[content["digest"]] = True
        if self._store:
            self._store(content, self.path_of(content))
        return content

    def locate(self, content: Form) -> str:
        """Makes sure that content is here. Returns its path, where nobody may change it.

        Raises:
            Failure: it is damaged, or nobody has it.
        """
        path = self.path_of(content)
        with self._lock:
            if content["digest"] not in self._verified:
                if os.path.exists(path):
                    for _ in _verified(content, path):
                        pass
                else:
                    self._fetch(content, path)
                self._verified[content["digest"]] = True
        return path

    def offer(self, content: Form) -> None:
        """Makes sure that others find content of a value that is handed on."""
        if not self._stays_away:
            self.locate(content)

    def _content_of(self, content: Form) -> Iterator[bytes]:
        """The content, verified while it is read.

        Containers can write to the folder of a program: what was verified before may be something else now.
        """
        if not self.has(content):
            self.locate(content)
        return _verified(content, self.path_of(content))

    def read(self, content: Form) -> bytes:
        return b"".join(self._content_of(content))

    def prepare(self, form: Form) -> str:
        """Brings a file or folder, by its own name, to a new folder of `scratch`."""
        content = self.locate(form)
        folder = os.path.join(self.scratch(), str(next(self._prepared)))
        os.mkdir(folder)
        path = os.path.join(folder, form["name"] or "file")
        if form["kind"] == "folder":
            _unpack(form, _verified(form, content), path)
        else:
            os.symlink(content, path)
        return path

    def save(self, form: Form, path: str) -> None:
        pieces = self._content_of(form)
        target = user_path(path)
        partial = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.{secrets.token_hex(6)}")
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if form["kind"] == "folder":
                _unpack(form, pieces, partial)
            else:
                with open(partial, "xb") as out:
                    out.writelines(pieces)
            os.replace(partial, target)
        except OSError as error:
            text = f"{path} cannot be written: {error.strerror}.\nSave it to a path where nothing is."
            raise reported(UserError, "file-unwritable", path, text) from error
        finally:
            _remove(partial)


def end_scratch(call: _running.Running) -> None:
    if call.scratch is not None:
        shutil.rmtree(call.scratch, ignore_errors=True)
        call.scratch = None


def _unpack(form: Form, tar: Iterator[bytes], folder: str) -> None:
    try:
        _folder_tar.unpack_tar(tar, folder)
    except _folder_tar.NotATar as error:
        raise damaged(form, str(error)) from error


def _verified(content: Form, path: str) -> Iterator[bytes]:
    """The pieces of a file. Raises at its end if they are not the content, so nobody may trust a piece before."""
    try:
        # A container may have put a link or a pipe there.
        stored = open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise damaged(content, path) from error
    with stored:
        status = os.fstat(stored.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size != content["size"]:
            raise damaged(content, path)
        digest = hashlib.sha256()
        for piece in _folder_tar.read_whole(stored, status.st_size, path):
            digest.update(piece)
            yield piece
        if f"sha256:{digest.hexdigest()}" != content["digest"]:
            raise damaged(content, path)


def _link(source: str, target: str) -> bool:
    try:
        os.link(source, target)
        return True
    except OSError:
        return False


def _remove(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.unlink(path)


def _write_hashed(pieces: Iterable[Any], target: str) -> Form:
    with open(target, "xb") as out:
        # Not by its path: a container may have put a link there.
        os.fchmod(out.fileno(), 0o444)
        return _hashed(pieces, out)


def _hashed(pieces: Iterable[Any], out: Optional[IO[bytes]]) -> Form:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if out:
            out.write(piece)
    return {"digest": f"sha256:{digest.hexdigest()}", "size": size}


def _unreadable(path: str, problem: str, remedy: str = "Check the path.") -> UserError:
    return reported(UserError, "file-unreadable", path, f"{path} {problem}.\n{remedy}")


def damaged(content: Form, where: str) -> Failure:
    text = f"The content {content['digest']} of a function's file is damaged ({where}).\nCall the function that made it again."
    return reported(Failure, "content-lost", content["digest"], text)


def lost(content: Form, _: str = "") -> None:
    raise reported(
        Failure,
        "content-lost",
        content["digest"],
        f"The content {content['digest']} of a function's file is not on this machine, and was not stored in a registry.\n"
        "Call the function that made it again.",
    )
