"""How a program speaks to the helper that makes calls: frames of src/functions/program-protocol.ts."""

import errno
import io
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
from typing import Any, List

import slipway
from slipway import Failure, UserError, _batch, _helper
from slipway._frames import Channel, frames

# The kernel cuts the first line of a script, and Bazel's paths are long.
PRELUDE = f"""#!/bin/sh
'''exec' '{sys.executable}' "$0" "$@"
' '''
import json, os, pathlib, sys
from contextlib import suppress
sys.path[:0] = {sys.path!r}
from slipway._frames import Channel, frames
channel = Channel(0, 1)
stream = frames(channel.read)
program = json.loads(next(stream).bodies[0])
folder = pathlib.Path(__file__).parent

def send(header, *bodies):
    # A program that has ended reads nothing; what it said last is still to be read.
    with suppress(OSError):
        channel.send(json.dumps(header)[1:-1], bodies)

def answer(kind, value, **header):
    send({{"type": kind, **header}}, json.dumps(value).encode())

def note(text):
    if not folder.exists():
        sys.exit()
    with open(folder / "noted", "a") as file:
        file.write(text + "\\n")

def ready(**more):
    answer("ready", {{"engine": {{"kind": "process", "description": "a fake"}}, **more}})

def answer_all():
    for header, bodies in stream:
        kind, batch = header["type"], header.get("batch")
        if kind == "start":
            note("start " + bodies[0].decode())
        elif kind == "item":
            send({{"type": "result", "batch": batch, "index": header["index"]}}, b"[%d, %s]" % (os.getpid(), bodies[0]))
        elif kind in ("close", "cancel"):
            note(kind)
            send({{"type": "done", "batch": batch}})
        elif kind == "settle":
            note(kind)
            send({{"type": "settled"}})
        elif kind == "exit":
            note("exit %d" % header["status"])
"""


@slipway.in_image(name="helped")
def helped(item: Any) -> Any:
    return item


kept = slipway.in_image(name="kept", keep=True, version="3", retries=2, time_limit="1m", env={"A": "b"}, keep_warm="5m", max_calls=7)(lambda item: item)


class Helper(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.mkdtemp()
        # A helper may note something while it ends.
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.folder = pathlib.Path(folder)
        for patch in (
            unittest.mock.patch.object(_helper, "_helpers", []),
            unittest.mock.patch.object(_helper, "_is_stopped", False),
            unittest.mock.patch.dict(os.environ),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        for name in [each for each in os.environ if each.startswith("SLIPWAY_")]:
            del os.environ[name]
        self.helper = str(self.folder / "helper")
        os.environ["SLIPWAY_ENGINE_HELPER"] = self.helper
        self.addCleanup(lambda: [each.exit(0) for each in list(_helper._helpers)])

    def script(self, *lines: str) -> None:
        path = pathlib.Path(self.helper)
        path.write_text(PRELUDE + "\n".join(lines))
        path.chmod(0o755)

    def noted(self) -> List[str]:
        path = self.folder / "noted"
        return path.read_text().splitlines() if path.exists() else []

    def test_makes_calls_over_one_connection(self) -> None:
        self.script("ready()", "answer_all()")
        pids = {helped(1)[0], helped(2)[0], *(pid for pid, _ in slipway.map_in_image(range(3), helped))}
        self.assertEqual(len(pids), 1)
        self.assertEqual(slipway.engine(), ("process", "a fake"))
        self.assertEqual([value for _, value in helped.stream(iter("ab"))], [["a"], ["b"]])
        starts = [json.loads(line[6:]) for line in self.noted() if line.startswith("start ")]
        self.assertEqual([(each["items"], each["isMap"]) for each in starts], [(1, False), (1, False), (3, True), (None, True)])

    def test_is_told_of_the_program_and_its_options(self) -> None:
        self.script("note(json.dumps(program))", "ready()", "answer_all()")
        kept(1)
        _helper.settle()
        told, start = json.loads(self.noted()[0]), json.loads(self.noted()[1][6:])
        self.assertEqual((told["env"]["SLIPWAY_ENGINE_HELPER"], told["process"], told["columns"]), (self.helper, os.getpid(), None if not os.isatty(2) else unittest.mock.ANY))
        self.assertEqual((told["command"][0], told["directory"]), (sys.executable, os.getcwd()))
        self.assertEqual(
            {name: start[name] for name in start if name not in ("id", "programArguments")},
            {
                "name": "kept", "after": [], "items": 1, "isMap": False, "env": {"A": "b"}, "network": "none", "resources": {}, "retries": 2,
                "timeLimit": 60, "keep": {"version": "3"}, "keepWarm": 300, "maxCalls": 7,
            },
        )
        self.assertEqual(self.noted()[2:], ["close", "settle"])

    def test_prints_for_the_program(self) -> None:
        self.script("ready(remark='there is no podman')", "send({'type': 'output'}, b'[a 0] one\\n')", "answer_all()")
        said = io.TextIOWrapper(io.BytesIO())
        with unittest.mock.patch("sys.stderr", said):
            helped(1)
        said.seek(0)
        self.assertEqual(said.read(), "there is no podman\n[a 0] one\n")

    def test_fails_when_it_ends_in_the_middle_of_an_answer(self) -> None:
        self.script("ready()", "next(stream), next(stream)", "os.write(1, b'{\"type\":\"result\",\"sizes\":[9]}\\n1')", "sys.exit(7)")
        for call in (lambda: helped(1), lambda: slipway.map_in_image([1], helped), lambda: list(helped.stream([1]))):
            with self.assertRaisesRegex(Failure, "status 7") as raised:
                call()
            self.assertEqual((raised.exception.code, raised.exception.culprit), ("program-failed", self.helper))
        self.script("sys.exit(7)")
        with self.assertRaisesRegex(Failure, "status 7"):
            helped(1)
        self.script("ready()", "os.write(1, b'no frame\\n')", "stream and next(stream)")
        with self.assertRaises(Failure):
            helped(1)

    def test_says_in_one_sentence_that_it_cannot_be_started(self) -> None:
        for number, remedy in ((errno.EMFILE, "ulimit -n"), (errno.ENOENT, "Build the pipeline's target again")):
            error = OSError(number, os.strerror(number))
            with unittest.mock.patch("subprocess.Popen", side_effect=error), self.assertRaises(Failure) as raised:
                helped(1)
            self.assertEqual(raised.exception.code, "program-failed")
            self.assertRegex(str(raised.exception), f"/helper cannot be started: .*\n.*{remedy}")

    def test_gives_the_program_its_error_as_it_is(self) -> None:
        error = {"name": "UserError", "code": "cluster-login", "culprit": "u", "message": "No.\nLog in.", "details": ""}
        for lines in (
            [f"answer('failed', {error})"],
            ["ready()", "next(stream)", f"answer('failed', {error}, batch=1)", "answer_all()"],
            ["ready()", "next(stream)", f"answer('failed', {error})"],
            ["ready()", "next(stream)", f"answer('error', {error}, batch=1, index=0)", "answer_all()"],
        ):
            self.script(*lines)
            _helper._helpers.clear()
            with self.assertRaises(UserError) as raised:
                helped(1)
            self.assertEqual((raised.exception.code, raised.exception.culprit), ("cluster-login", "u"))

    def test_is_started_again_for_another_environment_and_after_its_end(self) -> None:
        self.script("ready()", "answer_all()")
        first = helped(1)[0]
        os.environ["KUBECONFIG"] = "/other"
        second = helped(1)[0]
        del os.environ["KUBECONFIG"]
        self.assertEqual((helped(1)[0], first == second), (first, False))
        os.kill(first, 9)
        while not _helper._helpers[0].is_over:
            time.sleep(0.005)
        self.assertNotIn(helped(1)[0], (first, second))

    def test_that_waits_is_asked_unless_it_declines(self) -> None:
        self.script("ready()", "answer_all()")
        path = str(self.folder / "socket")
        os.environ["SLIPWAY_ENGINE_SOCKET"] = path
        started = helped(1)[0]
        self.assertGreater(started, 0)
        for declines in (True, False):
            _helper._helpers.clear()
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
                listener.listen()

                def serve() -> None:
                    connection = listener.accept()[0]
                    channel = Channel(connection)
                    asked = frames(channel.read)
                    next(asked)
                    if declines:
                        channel.send('"type":"declined"')
                    else:
                        channel.send('"type":"ready"', [b'{"engine":{"kind":"process","description":"waiting"}}'])
                        next(asked), next(asked)
                        channel.send('"type":"result","batch":1,"index":0', [b"[5]"])
                        for _ in asked:
                            pass
                    connection.close()

                server = threading.Thread(target=serve)
                server.start()
                self.assertEqual(helped(1)[0] == 5, not declines)
                _helper._helpers[0].exit(0)
                server.join()
            os.unlink(path)

    def test_gets_no_more_items_than_it_may_have(self) -> None:
        # It answers once it has had nothing for a while: with more, it notes that.
        self.script(
            "ready()", "next(stream)", "import select", "items = []",
            "for header, _ in stream:",
            "    if header['type'] == 'item': items.append(header['index'])",
            "    if len(items) == 1000 or header['type'] == 'close':",
            "        if select.select([0], [], [], 0.3)[0] and header['type'] == 'item': note('too many')",
            "        for index in items: send({'type': 'result', 'batch': 1, 'index': index}, b'%d' % index)",
            "        items.clear()",
            "    if header['type'] == 'close': send({'type': 'done', 'batch': 1})",
        )
        self.assertEqual(slipway.map_in_image(range(2500), helped), list(range(2500)))
        self.assertEqual(self.noted(), [])

    def test_gets_items_of_a_stream_as_results_are_taken(self) -> None:
        self.script("ready()", "answer_all()")
        asked = itertools.count()
        results = helped.stream(asked)
        for number in range(3000):
            self.assertEqual(next(results)[1], [number])
        # An endless one: the window, and the one that waits for it.
        self.assertLessEqual(next(asked), 3000 + 1001)
        results.close()  # type: ignore[attr-defined]
        self.assertEqual(self.noted()[1:], ["cancel"])

    def test_results_of_a_stream_come_in_order_or_as_they_end(self) -> None:
        script = (
            "ready()", "batch = next(stream).header['batch']",
            "for _ in range(4): next(stream)",
            "for index in (2, 0, 3, 1): answer('error' if index == 3 else 'result', {'name': 'E', 'message': 'm', 'details': ''} if index == 3 else index, batch=batch, index=index)",
            "send({'type': 'done', 'batch': batch})", "answer_all()",
        )
        self.script(*script)

        def shown(**options: Any) -> List[Any]:
            _helper._helpers.clear()
            return [(each.index, str(each)) if isinstance(each, Exception) else each for each in helped.stream("abcd", return_exceptions=True, **options)]

        self.assertEqual(shown(), [0, 1, 2, (3, "E: m")])
        self.assertEqual(shown(ordered=False), [2, 0, (3, "E: m"), 1])
        _helper._helpers.clear()
        results = helped.stream("abcd")
        self.assertEqual([next(results) for _ in range(3)], [0, 1, 2])
        with self.assertRaises(slipway.RemoteError) as raised:
            next(results)
        self.assertEqual(raised.exception.index, 3)  # type: ignore[attr-defined]

    def test_is_told_to_end_the_calls_when_an_item_is_wrong(self) -> None:
        self.script("ready()", "answer_all()")

        def items() -> Any:
            yield from range(5)
            raise OSError("the tape is torn")

        for made, error in ((lambda: slipway.map_in_image([1, {2}], helped), UserError), (lambda: slipway.map_in_image(items(), helped), OSError)):
            with self.assertRaises(error):
                made()
            self.assertEqual(self.noted()[-1], "cancel")
        # Earlier items are there.
        for given, count, error in ((items(), 5, OSError), ([1, {2}], 1, UserError)):
            results, taken = helped.stream(given), []
            with self.assertRaises(error):
                for each in results:
                    taken.append(each)
            self.assertEqual(len(taken), count)

    def test_is_left_to_end_what_runs_when_the_program_is_interrupted(self) -> None:
        self.script("ready()", "next(stream)", "next(stream)", "note('runs')", "for each in stream:", "    note(each.header['type'])",
                    "    if each.header['type'] == 'cancel': send({'type': 'done', 'batch': 1})")
        with unittest.mock.patch.object(_batch.Batch, "take", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            slipway.map_in_image([1], helped)
        self.assertEqual(self.noted(), ["runs", "close", "cancel"])
        _helper.stop()
        with self.assertRaises(KeyboardInterrupt):
            helped(1)

    def test_fetches_files_of_results(self) -> None:
        files = self.folder / "files"
        files.mkdir()
        digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        self.script(
            f"ready(files={str(files)!r})", "for header, bodies in stream:", "    batch = header.get('batch')",
            "    if header['type'] == 'item':",
            f"        form = {{'$slipway': 'file', 'digest': {digest!r}, 'name': 'a.txt', 'size': 5}}",
            "        answer('result', form, batch=batch, index=0)",
            "    elif header['type'] == 'fetch':",
            "        note('fetch')",
            f"        pathlib.Path({str(files)!r}, header['digest'][7:]).write_text('hello')",
            "        send({'type': 'fetched', 'digest': header['digest']})",
        )
        value = helped(1)
        self.assertEqual((value.name, value.read(), value.read(), self.noted()), ("a.txt", b"hello", b"hello", ["fetch"]))
        error = {"name": "Failure", "code": "content-lost", "culprit": digest, "message": "Gone.", "details": ""}
        self.script(*pathlib.Path(self.helper).read_text()[len(PRELUDE):].replace("send({'type': 'fetched', 'digest': header['digest']})",
            f"answer('fetched', {error}, digest=header['digest'])").replace(".write_text('hello')", "").split("\n"))
        (files / digest[7:]).unlink()
        os.environ["KUBECONFIG"] = "/other"
        with self.assertRaises(Failure) as raised:
            helped(1).save(self.folder / "saved")
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("content-lost", digest))
        # Content that a helper before had is handed on.
        (files / digest[7:]).write_text("hello")
        other = self.folder / "other"
        other.mkdir()
        self.script(f"ready(files={str(other)!r})", "answer_all()")
        os.environ["KUBECONFIG"] = "/third"
        helped(value)
        self.assertEqual((other / digest[7:]).read_text(), "hello")

    def test_is_told_how_the_program_ends(self) -> None:
        self.script("ready()", "answer_all()")
        program = "import slipway, sys\nf = slipway.in_image(name='f')(len)\ndef body():\n    f([1])\n    {}\nslipway.main(body)\n"
        endings = {"pass": 0, "sys.exit(3)": 3, "raise slipway.UserError('no')": 2, "raise slipway.Failure('no')": 1, "1 / 0": 1, "raise KeyboardInterrupt": 130}
        for ending, status in endings.items():
            path = self.folder / "program.py"
            path.write_text(program.format(ending))
            (self.folder / "noted").unlink(missing_ok=True)
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            ended = subprocess.run([sys.executable, str(path)], env=environment, capture_output=True)
            while not self.noted() or not self.noted()[-1].startswith("exit"):
                time.sleep(0.005)
            self.assertEqual((self.noted()[-1], ended.returncode in (status, -2)), (f"exit {status}", True), ended.stderr)

    def test_is_needed_for_the_whole_program(self) -> None:
        del os.environ["SLIPWAY_ENGINE_HELPER"]
        with self.assertRaises(UserError) as raised:
            slipway.run_in_image()
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("started-by-hand", "SLIPWAY_ENGINE_HELPER"))


if __name__ == "__main__":
    unittest.main()
