"""Files and folders that functions take and return. Keep src/sdk/files.ts and src/functions/file-form.ts the same."""

import os
import re
from typing import Any, Callable, Dict, Mapping, Optional, Union

from slipway._errors import Failure, UserError, reported
from slipway._file_place import FilePlace, Form
from slipway._paths import Path, user_path

# The key of an object that is no plain JSON. A user's object with this key is wrapped.
MARK = "$slipway"
# Bytes that `read` takes into memory.
_MAXIMUM_READ = 1024 * 1024 * 1024

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
        path: relative to where `bazel run` was called. In a function, to the current folder.
    """
    return File("file", user_path(path), None)


def folder(path: Path) -> File:
    """A folder that a function returns or takes, with all files, folders and symbolic links in it.

    Of modes, only whether a file is executable is kept.

    Args:
        path: relative to where `bazel run` was called. In a function, to the current folder.
    """
    return File("folder", user_path(path), None)


def scratch_folder() -> str:
    """A folder for large files that a function makes, on the disk of the machine. A container's `/tmp` is in memory.

    It is removed when the function ends. Files in it that the function returns are not copied.
    """
    return own_place().scratch()


def compose_form(form: Form) -> Dict[str, Any]:
    name = {} if form["kind"] == "value" else {"name": form["name"]}
    return {MARK: form["kind"], "digest": form["digest"], **name, "size": form["size"]}


def parse_form(value: Mapping[str, Any]) -> Form:
    """The form that JSON is.

    Raises:
        Failure: no version of Slipway wrote it.
    """
    name, size = value.get("name", ""), value.get("size")
    is_digest = re.fullmatch(r"sha256:[0-9a-f]{64}", str(value.get("digest")))
    is_name = isinstance(name, str) and not re.search(r"[/\0]", name) and name not in (".", "..")
    if not is_digest or not is_name or type(size) is not int or size < 0:
        message = "A value that came from a function has a file of unknown form.\nBuild the image again."
        raise reported(Failure, "function-failed", "files", message)
    return {"kind": value[MARK], "digest": value["digest"], "size": size, "name": name}


# The place of this process: of a worker, or of a program.
_place_of_process: Callable[[], FilePlace]


def own_place() -> FilePlace:
    return _place_of_process()


def use_place(place: Callable[[], FilePlace]) -> None:
    global _place_of_process
    _place_of_process = place
