"""Records a program's calls for `slipway runs`. Keep src/runs and src/sdk/recorded.ts the same."""

import atexit
import codecs
import json
import os
import pathlib
import re
import reprlib
import secrets
import sys
import threading
import time
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type

# Set by the launch script: label of the pipeline.
TARGET = "SLIPWAY_TARGET"
_MAXIMUM_FILE = 16 * 1024 * 1024
_MAXIMUM_OUTPUT = 4 * 1024 * 1024
_MAXIMUM_ERROR = 500
_MAXIMUM_RESULT = 200
_MAXIMUM_RUNS = 200
_MAXIMUM_BYTES = 256 * 1024 * 1024
# Room for the end of a full file.
_END = 1024


class _Record:
    """A file of this run. Does nothing where none can be made. One that cannot be written to its end is said once."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self._lock = threading.Lock()
        self._file: Optional[int] = None
        self._size = 0
        self._output = 0
        self.status = 0
        try:
            folder = _folder()
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _prune(folder)
            now = time.time()
            name = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now)) + f"{int(now * 1000) % 1000:03d}Z-{secrets.token_hex(4)}"
            self._file = os.open(folder / f"{name}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except (OSError, RuntimeError):
            # In sandboxes, and for users without a home, there is no such folder: nobody asked for a record.
            return
        self.add({"run": start})

    def add(self, event: Dict[str, Any]) -> None:
        is_end = "end" in event
        with self._lock:
            if self._file is None or (self._size > _MAXIMUM_FILE and not is_end):
                return
            if "output" in event:
                self._output += len(event["output"]["text"])
                if self._output > _MAXIMUM_OUTPUT:
                    return
            line = _line(event)
            self._size += len(line)
            if self._size > _MAXIMUM_FILE - _END and not is_end:
                self._size = _MAXIMUM_FILE + 1
                line = _line({"full": True})
            try:
                os.write(self._file, line)
            except OSError as error:
                self._give_up(error)

    def end(self) -> None:
        self.add({"end": {"status": self.status}})

    def _give_up(self, error: Exception) -> None:
        self._file = None
        print(f"slipway: This run is not recorded: {error}", file=sys.stderr)


def _line(event: Mapping[str, Any]) -> bytes:
    return json.dumps({"at": int(time.time() * 1000), **event}).encode() + b"\n"


def _folder() -> pathlib.Path:
    """Refuses a folder that somebody else made: who owns it could read what is in it."""
    state = os.environ.get("XDG_STATE_HOME", "")
    root = pathlib.Path(state) if state.startswith("/") else pathlib.Path.home() / ".local/state"
    path = root / "slipway"
    for status in (path.lstat, path.stat) if os.path.lexists(path) else ():
        if status().st_uid not in (os.getuid(), 0):
            raise RuntimeError(f"{path} belongs to another user")
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path / "runs"


def _prune(folder: pathlib.Path) -> None:
    """Removes the oldest files. Their names begin with their time."""
    size = 0
    for age, path in enumerate(sorted(folder.glob("*.jsonl"), reverse=True)):
        try:
            size += path.stat().st_size
            if age >= _MAXIMUM_RUNS - 1 or size > _MAXIMUM_BYTES:
                path.unlink()
        except FileNotFoundError:
            pass


def _beginning() -> str:
    """When this process began, as Linux counts. Empty: this system does not say."""
    try:
        text = pathlib.Path("/proc/self/stat").read_text()
    except OSError:
        return ""
    return text[text.rindex(")") + 2 :].split(" ")[19]


def _commit(workspace: Optional[str]) -> Optional[str]:
    """The commit that is checked out in a workspace. None: none is known."""
    if not workspace:
        return None
    git = pathlib.Path(workspace, ".git")
    try:
        head = (git / "HEAD").read_text().strip()
        branch = re.match(r"ref: (refs/[\w./-]+)$", head)
        if branch:
            path = git / branch[1]
            if path.exists():
                head = path.read_text().strip()
            else:
                lines = (git / "packed-refs").read_text().split("\n")
                head = next((line.split(" ")[0] for line in lines if line.endswith(f" {branch[1]}")), "")
    except (OSError, UnicodeDecodeError):
        return None
    return head if re.fullmatch(r"[0-9a-f]{40,64}", head) else None


_own: Optional[_Record] = None
_lock = threading.Lock()


def _record(engine: str, images: Sequence[str]) -> _Record:
    """The record of this program. It begins with the first call, so that a program without calls leaves none."""
    global _own
    with _lock:
        if _own is None:
            start = {
                "version": 1,
                "program": os.environ.get(TARGET) or sys.argv[0],
                "arguments": len(sys.argv) - 1,
                "engine": engine,
                "images": list(images),
                "process": os.getpid(),
                "began": _beginning(),
            }
            commit = _commit(os.environ.get("BUILD_WORKSPACE_DIRECTORY"))
            if commit is not None:
                start["commit"] = commit
            _own = _Record(start)
            atexit.register(_own.end)
            _watch(_own)
        return _own


def _watch(record: _Record) -> None:
    """Takes note of how the program ends."""
    hook = sys.excepthook

    def failed(kind: Type[BaseException], error: BaseException, traceback: Optional[TracebackType]) -> None:
        record.status = 130 if issubclass(kind, KeyboardInterrupt) else 1
        hook(kind, error, traceback)

    sys.excepthook = failed


def ends_with(status: int) -> None:
    """Tells the status that the program is going to end with."""
    if _own is not None:
        _own.status = status


def _beginning_of(value: Any) -> str:
    short = reprlib.Repr()
    short.maxlist = short.maxdict = short.maxtuple = 20
    short.maxstring = short.maxother = _MAXIMUM_RESULT
    return short.repr(value)[:_MAXIMUM_RESULT]


class BatchRecord:
    """The record of one batch."""

    def __init__(self, engine: str, images: Sequence[str], batch: Mapping[str, Any]) -> None:
        self._record = _record(engine, images)
        self._id = batch["id"]
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lock = threading.Lock()
        self._record.add({"batch": batch})

    def started(self, index: int, where: str = "") -> None:
        self._add(index, "running", {"where": where} if where else {})

    def ended(self, index: int, error: Optional[BaseException], value: Any, is_kept: bool) -> None:
        if error is not None:
            self.failed(index, error)
        else:
            # The beginning of it. A large one is not looked at whole.
            result = {} if value is None else {"result": _beginning_of(value)}
            self._add(index, "kept" if is_kept else "done", result)

    def failed(self, index: int, error: BaseException) -> None:
        lines: List[str] = str(error).splitlines() or [""]
        name = getattr(error, "name", None) or type(error).__name__
        text = lines[0] if lines[0].startswith(f"{name}:") else f"{name}: {lines[0]}"
        self._add(index, "failed", {"error": text[:_MAXIMUM_ERROR]})

    def printed(self, data: bytes) -> None:
        with self._lock:
            text = self._decoder.decode(data)
        if text:
            self._record.add({"output": {"batch": self._id, "text": text}})

    def _add(self, index: int, state: str, more: Dict[str, str]) -> None:
        self._record.add({"item": {"batch": self._id, "index": index, "state": state, **more}})
