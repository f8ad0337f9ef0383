"""The engine that runs a program's functions: processes on this machine, or the helper that comes with the launch script."""

import base64
import difflib
import errno
import functools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import (
    IO, Any, Callable, Dict, Iterable, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence, Set, Tuple,
    TypedDict, Union,
)

from slipway._errors import HERE, Failure, UserError, reported, revive
from slipway._files import FILES
from slipway._images import image_variables
from slipway._printable import printable, printable_lines
from slipway._protocol import CALL, NONCE, ResultReader
from slipway._secrets import with_secrets
from slipway._volumes import require_in_place


Network = Literal["none", "host"]
# Claims and folders, by the absolute path at which they are seen.
Volumes = Mapping[str, Mapping[str, Union[str, bool]]]

# Set by the launch script: the helper program that talks to engines.
HELPER = "SLIPWAY_ENGINE_HELPER"
# Set by the launch script if it has already started the helper: the socket where the helper waits for calls.
_HELPER_SOCKET = "SLIPWAY_ENGINE_SOCKET"
# Bytes of memory to assume for a call without a limit.
_USUAL_MEMORY = 256 * 1024 * 1024
# Bytes that the path of a socket may have.
_LONGEST_PATH = 100
# Seconds that a process, and the helper, get to stop.
_GRACE = 5
_HELPER_GRACE = 150


class Resources(TypedDict, total=False):
    """Resource limits of one run. Omitted keys are not limited.

    Attributes:
        cpu: number of CPUs; may be a fraction.
        memory: memory: bytes, or a text such as `512MiB`.
        gpu: number of GPUs. The run gets the first GPUs of the machine.
        instance_type: instance type of `config.yaml`, which has CPUs, memory, GPUs and, on Kubernetes, the nodes that may run it. The other keys
            override those of the type.
    """

    cpu: float
    memory: Union[int, str]
    gpu: int
    instance_type: str


class Engine(NamedTuple):
    """The engine that runs this program's functions.

    Attributes:
        kind: `process`, `container` or `kubernetes`.
        description: a text for people, such as `containers of podman`.
    """

    kind: str
    description: str


class Batch(TypedDict, total=False):
    """Calls of one function of a program: `CallBatch` in src/functions/calls.ts."""

    image: str
    programArguments: Sequence[str]
    env: Mapping[str, str]
    network: str
    resources: Mapping[str, Any]
    id: str
    after: Sequence[str]
    name: str
    inputs: Sequence[str]
    parallelism: int
    retries: int
    timeLimit: float
    volumes: Volumes
    keep: Dict[str, str]
    files: str
    labels: str


OnOutcome = Callable[[int, Dict[str, Any]], None]
OnOutput = Callable[[bytes], None]
# Gets the index of a call that starts, and the pod and node.
OnStart = Callable[[int, str], None]

# Bytes of a line that are held back until its end comes.
_LONGEST_LINE = 64 * 1024

# Colours of terminals that can be told apart on light and dark ones.
_COLORS = (36, 33, 32, 35, 34, 31)

_PROCESSES = Engine("process", "processes of this machine")
_KINDS = ("container", "kubernetes", "process")
_chosen: Optional[Engine] = None


def engine() -> Engine:
    """Returns the engine that runs this program's functions.

    That is the one that `SLIPWAY_ENGINE` names, else containers if podman or docker is set up, else processes on this machine. A program without an
    image always uses processes.

    Raises:
        UserError: `SLIPWAY_ENGINE` is not the name of an engine, this machine does not have that engine, or it needs an image and the program has none.
    """
    global _chosen
    if _chosen is None:
        _chosen = _choose(os.environ)
    return _chosen


def _choose(env: Mapping[str, str]) -> Engine:
    wanted = env.get("SLIPWAY_ENGINE") or None
    if wanted is not None and wanted not in _KINDS:
        near = difflib.get_close_matches(wanted, _KINDS, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise reported(
            UserError,
            "variable-invalid",
            "SLIPWAY_ENGINE",
            f"SLIPWAY_ENGINE={wanted} is not an engine{meant}.\nSet SLIPWAY_ENGINE to container, kubernetes or process, or unset it.",
        )
    helper = env.get(HELPER)
    if not image_variables(env) and wanted in ("container", "kubernetes"):
        culprit = f"SLIPWAY_ENGINE={wanted}"
        raise reported(
            UserError,
            "engine-unavailable",
            culprit,
            f"{culprit}: this program was started without an image.\n"
            "Run the pipeline's own target instead of its _local target, or set SLIPWAY_CONTAINER_IMAGE.",
        )
    if wanted == "process" or not image_variables(env):
        return _PROCESSES
    if not helper:
        raise reported(
            UserError,
            "started-by-hand",
            HELPER,
            f"{HELPER} is not set: this program was not started by its pipeline, which provides the helper for engines.\n"
            "Start it with bazel run of the pipeline's own target, or set SLIPWAY_ENGINE=process.",
        )
    ended = _spawn([helper, "engine"], stdout=subprocess.PIPE)
    out = ended.communicate()[0]
    if not out:
        text = f"{helper} ended with status {ended.returncode} before it was done.\nLook at what it printed above."
        raise reported(Failure, "program-failed", helper, text)
    told = json.loads(out)
    if "error" in told:
        raise revive(told["error"], helper, HERE)
    if told["remark"]:
        print(printable_lines(told["remark"]), file=sys.stderr)
    return Engine(told["kind"], told["description"])


def place_of(kind: str, image: Optional[str]) -> str:
    """The place where a call ran, for errors."""
    if image is None or kind == "process":
        return "a process of this machine"
    return f"a {'container' if kind == 'container' else 'pod'} of {image}"


@functools.lru_cache(maxsize=None)
def _placed(resources: str, subject: str) -> str:
    """Asks the helper about an instance type. Each question costs the start of a program."""
    helper = os.environ[HELPER]
    words = [helper, "resources", resources, subject, "resources.instance_type"]
    answer = _spawn(words, stdout=subprocess.PIPE).communicate()[0].decode()
    error = json.loads(answer).get("error")
    if error:
        raise revive(error, helper, HERE)
    return answer


def placed(resources: Mapping[str, Any], subject: str) -> Dict[str, Any]:
    """Resources with the fields of their instance type. A process without a helper has nothing that they limit.

    Raises:
        UserError: there is no such type.
    """
    if "instance_type" not in resources:
        return dict(resources)
    if engine().kind == "process" and not os.environ.get(HELPER):
        return {name: value for name, value in resources.items() if name != "instance_type"}
    return json.loads(_placed(json.dumps(resources), subject))  # type: ignore[no-any-return]


def run(batch: Batch, on_outcome: OnOutcome, on_output: OnOutput, on_start: OnStart) -> None:
    """Runs all calls of a batch on the chosen engine. The calls end with this process.

    Args:
        on_outcome: called once per call when it has ended, with its index and `CallOutcome`.
        on_output: called with the output of functions.
        on_start: called when an attempt of a call starts.

    Raises:
        UserError: the engine does not work, and the user can fix it.
        Failure: the engine does not work.
    """
    if engine().kind == "process":
        if "keep" in batch:
            _say_nothing_is_kept()
        _run_processes(batch, on_outcome, on_output, on_start)
    else:
        _run_helper(os.environ[HELPER], batch, _Listener(on_outcome, on_output, on_start))


@functools.lru_cache(maxsize=None)
def _say_nothing_is_kept() -> None:
    print("slipway: `keep` has no effect: calls run in processes, without an image.", file=sys.stderr)


class _Listener(NamedTuple):
    on_outcome: OnOutcome
    on_output: OnOutput
    on_start: OnStart


# Stops the batches that run, of all threads.
_stops: Dict[object, Callable[[], None]] = {}
_stops_lock = threading.Lock()
_is_stopped = False


def stop() -> None:
    """Stops all calls, and makes no new ones."""
    global _is_stopped
    with _stops_lock:
        _is_stopped = True
        stops = list(_stops.values())
    for each in stops:
        each()


@contextmanager
def _stopped_by(act: Callable[[], None]) -> Iterator[None]:
    """While a batch runs, `stop` stops it so."""
    key = object()
    with _stops_lock:
        if _is_stopped:
            raise KeyboardInterrupt
        _stops[key] = act
    try:
        yield
    finally:
        with _stops_lock:
            del _stops[key]


def _run_helper(helper: str, batch: Batch, listener: _Listener) -> None:
    status: Optional[int] = None
    global _unsettled
    path = os.environ.get(_HELPER_SOCKET) or _own_server(helper)
    if path and "keep" in batch:
        _unsettled = path
    last = _ask_server(path, {"batch": batch, "env": dict(os.environ)}, listener)
    if last is None or "declined" in last:
        last, status = _start_helper(helper, batch, listener)
    if "done" in last:
        return
    if "error" in last:
        raise revive(last["error"], helper, HERE)
    how = "" if status is None else f" with status {status}"
    text = f"{helper} ended{how} before it was done.\nLook at what it printed above."
    raise reported(Failure, "program-failed", helper, text)


# Results of single calls may wait there to be stored.
_unsettled: Optional[str] = None


def settle() -> None:
    """Waits until kept results of single calls are stored. To be called before the program ends."""
    if _unsettled:
        _ask_server(_unsettled, {"settle": True}, _Listener(lambda *_: None, lambda _: None, lambda *_: None))


@functools.lru_cache(maxsize=None)
def _own_server(helper: str) -> Optional[str]:
    """The helper of this program: it starts once for all calls. Returns its socket. None: it cannot be."""
    folder = os.path.join(tempfile.gettempdir(), "slipway-helper-")
    if len(os.fsencode(folder)) + len("XXXXXXXX/socket") > _LONGEST_PATH:
        return None
    path = os.path.join(tempfile.mkdtemp(prefix="slipway-helper-"), "socket")
    child = _spawn(
        [helper, "serve", path, str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert child.stdout
    # It ends by itself, some time after this process.
    child.stdout.readline()
    child.stdout.close()
    child.returncode = 0
    return path


def _ask_server(path: Optional[str], request: Mapping[str, Any], listener: _Listener) -> Optional[Dict[str, Any]]:
    """Asks a helper that serves this program, if it still waits. Returns its last answer."""
    if not path:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError:
            return None
        with connection.makefile("rb") as answers:
            try:
                with _stopped_by(lambda: _shut(connection)):
                    connection.sendall(json.dumps(request).encode() + b"\n")
                    return _listen(answers, listener)
            except (BrokenPipeError, ConnectionResetError):
                return {}
            except BaseException:
                # Nobody needs the results any more: wait until the helper has stopped the calls.
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(_HELPER_GRACE)
                while connection.recv(1 << 16):
                    pass
                raise


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def _start_helper(helper: str, batch: Batch, listener: _Listener) -> Tuple[Dict[str, Any], int]:
    # In its own session, so that it survives the terminal's signals and this process, and can stop the calls.
    with _spawn(
        [helper, "calls"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        assert child.stdin and child.stdout and child.stderr
        printer = _printer(child.stderr, listener.on_output)
        last: Dict[str, Any] = {}
        try:
            child.stdin.write(json.dumps({"batch": batch}).encode() + b"\n")
            child.stdin.flush()
            with _stopped_by(lambda: _close(child)):
                last = _listen(child.stdout, listener)
        except BrokenPipeError:
            pass
        finally:
            _close(child)
            # A full pipe of unread answers must not keep the helper from stopping the calls.
            drain = _printer(child.stdout, lambda _: None)
            try:
                child.wait(_HELPER_GRACE)
            except subprocess.TimeoutExpired:
                child.kill()
            printer.join()
            drain.join()
    return last, child.returncode


def _listen(answers: Iterable[bytes], listener: _Listener) -> Dict[str, Any]:
    last: Dict[str, Any] = {}
    for line in answers:
        if not line.endswith(b"\n"):
            # The helper ended in the middle of an answer.
            break
        answer = json.loads(line)
        if "started" in answer:
            listener.on_start(answer["index"], answer["started"])
        elif "index" in answer:
            listener.on_outcome(answer["index"], answer["outcome"])
        elif "output" in answer:
            listener.on_output(base64.b64decode(answer["output"]))
        else:
            last = answer
    return last


def _is_fine(outcome: Mapping[str, Any]) -> bool:
    """Returns whether a call has given a result."""
    return "error" not in outcome.get("reply", {"error": None})


def _run_processes(batch: Batch, on_outcome: OnOutcome, on_output: OnOutput, on_start: OnStart) -> None:
    running: Set["subprocess.Popen[bytes]"] = set()
    lock = threading.Lock()
    inputs = batch["inputs"]
    is_alone = len(inputs) == 1 and "labels" not in batch
    variables = with_secrets(batch["env"])
    files = {FILES: batch["files"]} if "files" in batch else {}
    require_in_place(batch.get("volumes", {}))
    is_stopped = False

    def output(data: bytes) -> None:
        with lock:
            on_output(data)

    def attempt(index: int) -> Optional[Dict[str, Any]]:
        """Makes a call once. Returns how it ended; None if nobody waits for it any more."""
        is_late = threading.Event()
        nonce = secrets.token_hex(16)
        outputs = [_output_of(batch, index, output) for _ in range(2)]
        reader = ResultReader(nonce, outputs[0].write)
        with lock:
            if is_stopped:
                return None
            child = _spawn(
                _command(batch["programArguments"]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # A single call may use the terminal.
                stderr=None if is_alone else subprocess.PIPE,
                env={**os.environ, **variables, **files, CALL: batch["name"], NONCE: nonce},
                # In its own process group, so that its children are stopped with it.
                start_new_session=True,
            )
            running.add(child)
        on_start(index, "")
        with child:
            assert child.stdin and child.stdout
            timer = _time_limit(child, batch.get("timeLimit"), is_late)
            printers = [_printer(child.stdout, reader.write)]
            if child.stderr:
                printers.append(_printer(child.stderr, outputs[1].write))
            # A process that ended without reading its input tells why by its status.
            with suppress(BrokenPipeError):
                child.stdin.write(f"{inputs[index]}\n".encode())
                child.stdin.flush()
            status = child.wait()
            if timer:
                timer.cancel()
            _signal(child, signal.SIGKILL)
            for printer in printers:
                printer.join()
            _close(child)
        reply = reader.end()
        for each in outputs:
            each.end()
        with lock:
            running.discard(child)
        outcome: Dict[str, Any] = {"status": status if status >= 0 else 128 - status}
        if is_late.is_set():
            problem = f"It took longer than its time limit of {batch['timeLimit']} s."
            return {**outcome, "reason": {"problem": problem, "remedy": "Give it more time, or less to do."}}
        return outcome if reply is None else {"reply": reply}

    def call(index: int) -> None:
        subject = batch["name"] if is_alone else f"{batch['name']}, item {index}"
        attempts = batch.get("retries", 0) + 1
        for number in range(1, attempts + 1):
            outcome = attempt(index)
            with lock:
                if outcome is None or is_stopped:
                    return
                if _is_fine(outcome) or number == attempts:
                    on_outcome(index, outcome)
                    return
                on_output(f"slipway: {subject}: attempt {number} of {attempts} failed; trying again\n".encode())

    parallelism = batch.get("parallelism") or _room_here(batch["resources"])

    def stop_running() -> None:
        nonlocal is_stopped
        with lock:
            is_stopped = True
            left = list(running)
        _stop(left)

    with ThreadPoolExecutor(max_workers=min(parallelism, len(inputs))) as pool, _stopped_by(stop_running):
        calls = [pool.submit(call, index) for index in range(len(inputs))]
        try:
            for each in calls:
                each.result()
        except BaseException:
            for each in calls:
                each.cancel()
            stop_running()
            raise


class _Output:
    """What one stream of a call prints: whole lines, each after a prefix, or with an empty one as it comes."""

    def __init__(self, prefix: bytes, receive: OnOutput) -> None:
        self._prefix = prefix
        self._receive = receive
        self._rest = b""

    def write(self, data: bytes) -> None:
        if not self._prefix:
            self._receive(data)
            return
        text = self._rest + data
        end = text.rfind(b"\n") + 1
        if len(text) - end > _LONGEST_LINE:
            end = len(text)
        self._rest = text[end:]
        self._pass(text[:end])

    def end(self) -> None:
        """Passes on a last line that has no end."""
        self._pass(self._rest)
        self._rest = b""

    def _pass(self, text: bytes) -> None:
        if text:
            lines = (text[:-1] if text.endswith(b"\n") else text).split(b"\n")
            self._receive(b"".join(self._prefix + line + b"\n" for line in lines))


def _output_of(batch: Batch, item: int, receive: OnOutput) -> _Output:
    """Keep `outputOf` in src/functions/calls.ts the same."""
    if "labels" not in batch:
        return _Output(b"", receive)
    prefix = f"[{printable(batch['name'])} {item}]"
    if batch["labels"] == "colored":
        prefix = f"\x1b[{_COLORS[item % len(_COLORS)]}m{prefix}\x1b[0m"
    return _Output(f"{prefix} ".encode(), receive)


def _spawn(command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(command, **options)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.EAGAIN):
            remedy = "Run fewer at once, or raise the limits of open files and processes (`ulimit -n`, `ulimit -u`)."
        else:
            remedy = "Build the pipeline's target again."
        message = f"{command[0]} cannot be started: {error.strerror}.\n{remedy}"
        raise reported(Failure, "program-failed", command[0], message) from error


def _time_limit(
    child: "subprocess.Popen[bytes]", limit: Optional[float], is_late: threading.Event
) -> Optional[threading.Timer]:
    """Stops a process after so many seconds, and notes that."""
    if limit is None:
        return None

    def stop() -> None:
        is_late.set()
        _stop([child])

    timer = threading.Timer(min(limit, threading.TIMEOUT_MAX), stop)
    timer.daemon = True
    timer.start()
    return timer


def _stop(children: List["subprocess.Popen[bytes]"]) -> None:
    for child in children:
        _signal(child, signal.SIGTERM)
    for child in children:
        try:
            child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)


def _signal(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Sends a signal to a process and its children."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _close(child: "subprocess.Popen[bytes]") -> None:
    with suppress(BrokenPipeError):
        if child.stdin:
            child.stdin.close()


def _printer(stream: IO[bytes], receive: Callable[[bytes], None]) -> threading.Thread:
    """A thread that passes on what comes, at once."""

    def pass_on() -> None:
        for chunk in iter(lambda: os.read(stream.fileno(), 1 << 16), b""):
            receive(chunk)

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    return thread


def _room_here(resources: Mapping[str, Any]) -> int:
    """The number of calls that fit this machine: one per CPU, up to 80 % of its memory."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    by_processors = int((os.cpu_count() or 1) / resources.get("cpu", 1))
    by_memory = int(0.8 * pages / resources.get("memory", _USUAL_MEMORY))
    return max(1, min(by_processors, by_memory))


def _interpreter_arguments() -> List[str]:
    """The interpreter's command line, up to the program's own arguments."""
    given = len(sys.argv) - 1
    original: Sequence[str] = getattr(sys, "orig_argv", [])
    if original:
        return list(original[1 : len(original) - given])
    flags: List[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [*flags, sys.argv[0]]


# Read at import, before the program can change sys.argv.
_INTERPRETER_ARGUMENTS = _interpreter_arguments()


def _command(arguments: Sequence[str]) -> List[str]:
    return [sys.executable, *_INTERPRETER_ARGUMENTS, *arguments]
