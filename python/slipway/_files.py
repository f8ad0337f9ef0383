"""Files, folders and large values of functions. Keep src/sdk/files.ts, file-place.ts, own-place.ts and src/functions/file-form.ts the same."""

import atexit
import errno
import functools
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Callable, Dict, IO, Iterator, List, Mapping, Optional, Tuple, Union

from slipway import _folder_tar, _pod_files
from slipway._errors import HERE, Failure, UserError, reported, revive
from slipway._printable import printable_lines

# The key of an object that is a file, a folder or a large value. A user's object with this key is wrapped.
MARK = "$slipway"
# Folder for content, in a process that serves a call.
FILES = "SLIPWAY_CALL_FILES"
# Set by the launch script: the helper program that talks to registries.
_HELPER = "SLIPWAY_ENGINE_HELPER"
# Bytes that `read` takes into memory.
_MAXIMUM_READ = 1024 * 1024 * 1024
# Bytes of arguments, and of a result, as JSON. They have to fit into memory a few times.
MAXIMUM_VALUE = 256 * 1024 * 1024
# Bytes of content in memory at once.
_PIECE = 1 << 20
# Seconds after which the folder of a program that is gone is removed.
_ABANDONED_AFTER = 60 * 60

Path = Union[str, "os.PathLike[str]"]
# Kind, digest, size and name.
Form = Dict[str, Any]


class File:
    """A file or folder that functions take and return. `file` and `folder` make it.

    Its content travels beside the JSON, by its digest, and arrives as a file.

    Attributes:
        kind: `file` or `folder`.
        name: last part of the path that it had when it was made.
    """

    def __init__(self, kind: str, given: Optional[str], form: Optional[Form]) -> None:
        """Use `file` or `folder`."""
        self.kind = kind
        self._given = given
        self._path = given
        self._form = form
        self.name: str = os.path.basename(given) if given is not None else str((form or {})["name"])

    def __repr__(self) -> str:
        return f"File(kind={self.kind!r}, name={self.name!r})"

    @property
    def digest(self) -> str:
        """`sha256:…` of the file, or of a tar of the folder. Known once a function took or returned it."""
        return str(self._known("digest")["digest"])

    @property
    def size(self) -> int:
        """Bytes of the file, or of a tar of the folder. Known once a function took or returned it."""
        return int(self._known("size")["size"])

    @property
    def path(self) -> str:
        """Path of the file or folder on this machine: in a function, and of a value that was made here. Do not change what is there.

        Raises:
            UserError: a call returned it. `save` brings it to a path.
        """
        if self._path is None:
            raise self._refused("is not on this machine yet", "Bring it to a path with save(path).")
        return self._path

    def save(self, path: Path) -> None:
        """Brings it to a path. It is there whole, or not at all.

        Args:
            path: of the file, which is replaced if there is one; or of the folder, which must be new or empty.

        Raises:
            Failure: its content is gone or damaged.
            UserError: the path cannot be written.
        """
        own_place().save(self.store(), os.fspath(path))

    def read(self) -> bytes:
        """Reads a file of at most 1 GiB into memory.

        Raises:
            UserError: it is a folder, or larger.
            Failure: its content is gone or damaged.
        """
        if self.kind == "folder":
            raise self._refused("is a folder", "Bring it to a path with save(path).")
        form = self.store()
        if form["size"] > _MAXIMUM_READ:
            raise self._refused(f"has {form['size']} bytes", "Bring it to a path with save(path).")
        return own_place().read(form)

    def store(self, may_link: bool = False) -> Form:
        """Takes the content of a value that was made here, once. For Slipway itself."""
        if self._form is None and self._given is not None:
            content = own_place().put(self._given, self.kind, may_link)
            self._form = {"kind": self.kind, "name": self.name, **content}
        return self._known("content")

    def prepare(self) -> None:
        """Brings the content of a value that a function got to this machine. For Slipway itself."""
        self._path = own_place().prepare(self._known("content"))

    def _known(self, what: str) -> Form:
        if self._form is None:
            raise self._refused(f"has no {what} yet", "Hand it to a function, or return it from one, first.")
        return self._form

    def _refused(self, problem: str, remedy: str) -> UserError:
        return reported(UserError, "value-invalid", self.name, f"{self.name} {problem}.\n{remedy}")


def file(path: Path) -> File:
    """A file that a function returns or takes. Its content is read when the call or the function hands it on.

    Args:
        path: relative to the current folder.
    """
    return File("file", os.path.abspath(path), None)


def folder(path: Path) -> File:
    """A folder that a function returns or takes, with all files, folders and symbolic links in it.

    Of modes, only whether a file is executable is kept.

    Args:
        path: relative to the current folder.
    """
    return File("folder", os.path.abspath(path), None)


def scratch_folder() -> str:
    """A folder for large files that a function makes, on the disk of the machine. A container's `/tmp` is in memory.

    It is removed when the function ends. Files in it that the function returns are not copied.
    """
    return own_place().scratch()


def compose_form(form: Form) -> Dict[str, Any]:
    """The JSON of a form."""
    name = {} if form["kind"] == "json" else {"name": form["name"]}
    return {MARK: form["kind"], "digest": form["digest"], **name, "size": form["size"]}


def replace_forms(value: Any, replace: Callable[[Form], Any]) -> Any:
    """Replaces the forms in JSON, and unwraps objects of users that look like one."""
    if isinstance(value, list):
        return [replace_forms(each, replace) for each in value]
    if not isinstance(value, dict):
        return value
    if MARK in value:
        if value[MARK] != "object":
            return replace(_parse_form(value))
        value = value["value"]
    return {key: replace_forms(each, replace) for key, each in value.items()}


def _parse_form(value: Mapping[str, Any]) -> Form:
    name, size = value.get("name", ""), value.get("size")
    is_digest = re.fullmatch(r"sha256:[0-9a-f]{64}", str(value.get("digest")))
    is_name = isinstance(name, str) and not re.search(r"[/\0]", name) and name not in (".", "..")
    if value[MARK] not in ("file", "folder", "json") or not is_digest or not is_name or type(size) is not int or size < 0:
        message = "A value that came from a function has a file of unknown form.\nBuild the image again."
        raise reported(Failure, "function-failed", "files", message)
    return {"kind": value[MARK], "digest": value["digest"], "size": size, "name": name}


def forms_in(text: str) -> List[Form]:
    """The forms in JSON. Each digest once."""
    found: Dict[str, Form] = {}
    if f'"{MARK}"' in text:
        replace_forms(json.loads(text), lambda form: found.update({form["digest"]: form}))
    return list(found.values())


def decode(value: Any, on_forms: Callable[[List[Form]], None] = lambda _: None) -> Tuple[Any, List[File]]:
    """The value that JSON stands for, and the files in it.

    Args:
        on_forms: told of all forms, before content is asked for.

    Raises:
        Failure: content is gone or damaged, or a form is unknown.
    """
    forms: List[Form] = []
    files: List[File] = []

    def replace(form: Form) -> File:
        forms.append(form)
        made = File(form["kind"], None, form)
        if form["kind"] != "json":
            files.append(made)
        return made

    decoded = replace_forms(value, replace)
    if forms:
        on_forms(forms)
    if isinstance(decoded, File) and decoded.kind == "json":
        if forms[0]["size"] > MAXIMUM_VALUE:
            text = f"A value that came from a function has {forms[0]['size']} bytes as JSON.\nReturn large data as a file."
            raise reported(Failure, "function-failed", "files", text)
        return decode(json.loads(own_place().read(forms[0])), on_forms)
    return decoded, files


def decode_arguments(text: Union[str, bytes]) -> List[Any]:
    """Arguments as a function gets them: its files are on this machine."""
    value, files = decode(json.loads(text))
    for each in files:
        each.prepare()
    return list(value)


def shorten(text: str, limit: int) -> str:
    """Puts JSON that is longer than an engine takes beside. A short reference stands for it."""
    if len(text) <= limit:
        return text
    content = own_place().put_text(text)
    return json.dumps(compose_form({"kind": "json", "name": "", **content}))


class FilePlace:
    """Content of files on this machine: a folder of files that have the hex of their sha256 as names.

    Args:
        fetch: brings content to a path, whole and verified, or raises.
        store: hands on content that this process made.
    """

    def __init__(
        self, folder: str, fetch: Callable[[Form, str], None], store: Optional[Callable[[Form, str], None]] = None
    ) -> None:
        self.folder = folder
        self._fetch = fetch
        self._store = store
        self._verified: Dict[str, bool] = {}
        self._lock = threading.RLock()
        self._scratch: Optional[str] = None
        self._prepared = 0

    def path_of(self, content: Form) -> str:
        return os.path.join(self.folder, content["digest"].partition(":")[2])

    def has(self, content: Form) -> bool:
        """Whether it is here. A link or a pipe, which a container can make, is not content."""
        path = self.path_of(content)
        return os.path.isfile(path) and not os.path.islink(path)

    def scratch(self) -> str:
        """A new folder of this process, which goes with the process."""
        if self._scratch is None:
            self._scratch = tempfile.mkdtemp(prefix="scratch-", dir=self.folder)
            # Slipway must be able to remove it, and what it is in may belong to another user: the one of a container.
            os.chmod(self._scratch, 0o777)
            atexit.register(self.clear)
        return self._scratch

    def clear(self) -> None:
        """Removes the scratch folder."""
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def put(self, source: str, kind: str, may_link: bool) -> Form:
        """Takes a file or folder into the place."""

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
                    is_own = self._scratch is not None and os.path.abspath(source).startswith(self._scratch + os.sep)
                    if may_link and is_own and not os.path.islink(source) and _link(source, target):
                        os.fchmod(content.fileno(), 0o444)
                        return _hashed(pieces, None)
                    return _write_hashed(pieces, target)
            except FileNotFoundError as error:
                raise _unreadable(source, "does not exist") from error
            except PermissionError as error:
                raise _unreadable(source, f"cannot be read: {error.strerror}") from error

        return self._take(write)

    def put_text(self, text: str) -> Form:
        """Takes the content of a large value."""
        return self._take(lambda target: _write_hashed(iter([text.encode()]), target))

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

    def _content_of(self, content: Form) -> Iterator[bytes]:
        """The content, verified while it is read.

        Containers can write to the folder of a program: what was verified before may be something else now.
        """
        if not self.has(content):
            self.locate(content)
        return _verified(content, self.path_of(content))

    def read(self, content: Form) -> bytes:
        """A file's content in memory."""
        return b"".join(self._content_of(content))

    def prepare(self, form: Form) -> str:
        """Brings a file or folder, by its own name, to a new folder of `scratch`."""
        content = self.locate(form)
        self._prepared += 1
        folder = os.path.join(self.scratch(), str(self._prepared))
        os.mkdir(folder)
        path = os.path.join(folder, form["name"] or "file")
        if form["kind"] == "folder":
            _unpack(form, _verified(form, content), path)
        else:
            os.symlink(content, path)
        return path

    def save(self, form: Form, path: str) -> None:
        """Brings a file or folder to a path, whole or not at all."""
        pieces = self._content_of(form)
        target = os.path.abspath(path)
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


def _unpack(form: Form, tar: Iterator[bytes], folder: str) -> None:
    try:
        _folder_tar.unpack_tar(tar, folder)
    except _folder_tar.NotATar as error:
        raise damaged(form, str(error)) from error


def _verified(content: Form, path: str) -> Iterator[bytes]:
    """The pieces of a file. Raises at its end if they are not the content, so that nobody may trust any piece before."""
    try:
        # What is there may be a link or a pipe, which was made by a container.
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


def _write_hashed(pieces: Iterator[bytes], target: str) -> Form:
    with open(target, "xb") as out:
        # Not by its path: a container may have put a link there.
        os.fchmod(out.fileno(), 0o444)
        return _hashed(pieces, out)


def _hashed(pieces: Iterator[bytes], out: Optional[IO[bytes]]) -> Form:
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
    """The error for content that is not what its digest says."""
    text = f"The content {content['digest']} of a function's file is damaged ({where}).\nCall the function that made it again."
    return reported(Failure, "content-lost", content["digest"], text)


def _lost(content: Form, _: str = "") -> None:
    raise reported(
        Failure,
        "content-lost",
        content["digest"],
        f"The content {content['digest']} of a function's file is not on this machine, and was not stored in a registry.\n"
        "Call the function that made it again.",
    )


_requested_files = os.environ.pop(FILES, None)
_place: Optional[FilePlace] = None
# The images in whose repositories content is that came from calls, by digest.
_origins: Dict[str, str] = {}
_lock = threading.RLock()


def own_place() -> FilePlace:
    """The content of files in this process."""
    global _place
    with _lock:
        if _place is None:
            _place = _place_of_call() if _IS_SERVED else _place_of_program()
        return _place


def end_scratch() -> None:
    """Removes what a function left in its scratch folder."""
    if _place is not None:
        _place.clear()


# True if this process serves a call. Read at import, before the variable is removed.
_IS_SERVED = "SLIPWAY_CALL" in os.environ


def _place_of_call() -> FilePlace:
    if _requested_files is None:
        raise reported(
            UserError,
            "engine-unavailable",
            "files",
            "This engine cannot hand on files, folders and values above 8 MiB.\n"
            "Use an engine on this machine, or a cluster whose pods reach the registry. docs/functions.md says how.",
        )
    access = os.path.join(_requested_files, _pod_files.ACCESS_FILE)
    if not os.path.exists(access):
        return FilePlace(_requested_files, _lost)
    remote = _pod_files.PodFiles(access, damaged)
    return FilePlace(tempfile.mkdtemp(prefix="slipway-files-"), remote.fetch, remote.store)


def _place_of_program() -> FilePlace:
    def fetch(content: Form, path: str) -> None:
        image = _origins.get(content["digest"])
        if image is None or not os.environ.get(_HELPER):
            _lost(content)
        _helper.ask({"action": "fetch", "image": image, "digest": content["digest"], "size": content["size"], "path": path})

    return FilePlace(_folder_of_program(), fetch)


def _folder_of_program() -> str:
    """A folder that only this user can enter, and the users of containers can write to. It goes with the program."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    root = cache if cache.startswith("/") else os.path.join(os.path.expanduser("~"), ".cache")
    every = os.path.join(root, "slipway", "files")
    os.makedirs(every, exist_ok=True)
    os.chmod(every, 0o700)
    for name in os.listdir(every):
        path = os.path.join(every, name)
        if time.time() - os.stat(path).st_mtime > _ABANDONED_AFTER and not _is_running(name.partition("-")[0]):
            shutil.rmtree(path, ignore_errors=True)
    own = tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=every)
    os.chmod(own, 0o777)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def _is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
        return True
    except OSError as error:
        return error.errno == errno.EPERM
    except ValueError:
        return False


def folder_for_files() -> Optional[str]:
    """The folder that calls on this machine see. None where this user can have none: only calls with files need it."""
    try:
        return own_place().folder
    except OSError:
        return None


# Bytes of arguments that stay in the JSON for Kubernetes, where all together are too long.
_SHORT_INPUT = 64 * 1024
MAXIMUM_JSON = 16 * 1024 * 1024


def send(inputs: List[str], kind: str, image: Optional[str]) -> List[str]:
    """Arguments as the engine takes them. The content of their files is where the engine needs it."""
    is_pods = kind == "kubernetes"
    total = sum(len(each) + 1 for each in inputs)
    limit = _SHORT_INPUT if is_pods and total > MAXIMUM_JSON else MAXIMUM_JSON
    sent = [shorten(each, limit) for each in inputs]
    forms = {form["digest"]: form for each in sent for form in forms_in(each)}
    for form in forms.values():
        if is_pods:
            _hold(form, image or "")
        else:
            own_place().locate(form)
    return sent


def receive(value: Any, kind: str, image: Optional[str]) -> Any:
    """The value of a result. Its content is held by the registry, if there is one."""

    def hold(forms: List[Form]) -> None:
        if image is None or kind == "process" or not os.environ.get(_HELPER):
            return
        for form in forms:
            _origins[form["digest"]] = image
            try:
                _hold(form, image)
            except (UserError, Failure) as error:
                # Content on this machine is good until the program ends, also if the user may not push.
                if not own_place().has(form):
                    raise
                _tell_once(f"Files of results cannot be stored in {image.partition('@')[0]}, and last until this program ends: {error}")

    return decode(value, hold)[0]


@functools.lru_cache(maxsize=1)
def _tell_once(problem: str) -> None:
    print(f"slipway: {printable_lines(problem)}", file=sys.stderr)


def _hold(form: Form, image: str) -> None:
    place, origin = own_place(), _origins.get(form["digest"])
    # Another function's image may be in another repository.
    if not place.has(form) and origin is not None and origin.partition("@")[0] != image.partition("@")[0]:
        place.locate(form)
    request = {"action": "store", "image": image, "digest": form["digest"], "size": form["size"]}
    _helper.ask({**request, "path": place.path_of(form)} if place.has(form) else request)


class _Helper:
    """Moves content by the helper, which is started with the first request and ends with this process."""

    def __init__(self) -> None:
        self._child: Optional["subprocess.Popen[bytes]"] = None
        self._lock = threading.Lock()
        self._last = 0

    def ask(self, request: Dict[str, Any]) -> None:
        with self._lock:
            child = self._started()
            assert child.stdin and child.stdout
            self._last += 1
            line = b""
            try:
                child.stdin.write(json.dumps({**request, "id": self._last}).encode() + b"\n")
                child.stdin.flush()
                line = child.stdout.readline()
            except BrokenPipeError:
                pass
            if not line.endswith(b"\n"):
                self._child = None
                helper = os.environ[_HELPER]
                text = f"{helper} ended with status {child.wait()} before it had moved a file.\nLook at what it printed above."
                raise reported(Failure, "program-failed", helper, text)
        error = json.loads(line).get("error")
        if error:
            raise revive(error, os.environ[_HELPER], HERE)

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._child is None:
            helper = os.environ[_HELPER]
            try:
                # A terminal's signals reach this process, whose end ends the helper.
                self._child = subprocess.Popen(
                    [helper, "files"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
                )
            except OSError as error:
                message = f"{helper} cannot be started: {error.strerror}.\nBuild the pipeline's target again."
                raise reported(Failure, "program-failed", helper, message) from error
        return self._child


_helper = _Helper()
