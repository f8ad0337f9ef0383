"""Workers, by docs/worker-protocol.md: what they answer to a helper, also a hostile one."""

import json
import os
import pathlib
import signal
import tempfile
import threading
import time
import unittest
from typing import List, Tuple

from fake_helper import FakeHelper
from slipway._file_place import FilePlace, lost
from slipway._files import use_place


class Worker(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)
        use_place(lambda: FilePlace(made.name, lost))

    def worker(self, kind: str = "fd", **env: str) -> FakeHelper:
        made = FakeHelper(kind, OUT=str(self.folder), SLIPWAY_WORKER_FILES=str(self.folder), **env)
        self.addCleanup(made.kill)
        return made

    def attached(self, kind: str = "fd") -> FakeHelper:
        made = self.worker(kind)
        made.attach()
        return made

    def test_says_hello_and_serves_calls_in_order_on_each_channel(self) -> None:
        for kind in ("stdio", "fd", "tcp"):
            with self.subTest(kind):
                worker = self.worker(kind)
                hello = worker.attach()
                self.assertEqual((hello["protocol"], hello["received"], hello["replies"]), (1, 0, 0))
                self.assertIn("double", hello["functions"])
                ids = [worker.call("double", number) for number in range(100)]
                self.assertEqual([worker.reply() for _ in ids], [(id, 2 * (id - 1)) for id in ids])
                worker.call("same", {"a": [b"\0", 2**70, None]})
                self.assertEqual(worker.reply()[1], {"a": [b"\0", 2**70, None]})
                worker.call("nothing")
                frame = next(worker.stream)
                self.assertEqual((frame.header, frame.bodies), ({"type": "result", "id": 102}, []))
                status, err = worker.end()
                self.assertEqual((status, err), (0, "at import\n"))

    def test_removes_its_variables_and_keeps_the_channel_from_the_code(self) -> None:
        worker = self.attached("stdio")
        worker.call("variables")
        worker.call("read_input")
        worker.call("forked")
        self.assertEqual(worker.replies(3), {1: {}, 2: "", 3: signal.SIGKILL})

    def test_answers_with_the_error_of_a_call(self) -> None:
        worker = self.attached()
        worker.call("fail", "the tide is out")
        error = worker.reply()[1]
        self.assertEqual((error["name"], error["message"]), ("ValueError", "the tide is out"))
        self.assertRegex(error["details"], r'(?s)^Traceback \(most recent call last\):\n  File "[^"]*worker_program.py", line \d+, in fail\n')
        self.assertNotIn("/slipway/_", error["details"])
        for function, name, words in (
            ("fail_badly", "Unspeakable", "its text cannot be shown"),
            ("refuse", "UserError", "No.\nGo home."),
            ("unsendable", "UserError", 'The result of "unsendable" cannot be handed on: it["a"] is a set.'),
            ("no_such", "UserError", '"no_such" is not a function of this program'),
            ("double", "TypeError", "double() missing 1 required positional argument"),
        ):
            worker.call(function)
            error = worker.reply()[1]
            self.assertEqual(error["name"], name)
            self.assertIn(words, error["message"])
        worker.call("double", 4)
        self.assertEqual(worker.reply()[1], 8)

    def test_sends_what_a_call_prints_before_its_reply(self) -> None:
        worker = self.attached("stdio")
        outputs: List[Tuple[int, bytes]] = []
        worker.call("say", "a")
        worker.call("say", "b")
        self.assertEqual([worker.reply(outputs), worker.reply(outputs)], [(1, "a"), (2, "b")])
        for id, word in ((1, b"a"), (2, b"b")):
            pieces = [piece for each, piece in outputs if each == id]
            self.assertEqual(pieces[:2], [word + b" one\n", word + b" three\n"])
            self.assertEqual(b"".join(pieces).count(word + b" four"), 1)
            self.assertIn(word + b" two" + word + b" five\n", pieces)
        # Of child processes, the helper knows which call runs.
        self.assertEqual(worker.end()[1], "at import\na child\nb child\n")

    def test_writes_whole_lines_to_the_log_of_a_pod(self) -> None:
        worker = self.attached("tcp")
        worker.call("say", "a")
        worker.reply()
        lines = worker.end()[1].split("\n")
        self.assertEqual(lines[:3], ["at import", "[say 1] a one", "[say 1] a three"])
        self.assertIn("[say 1] a twoa five", lines)

    def test_lets_no_child_process_speak_for_it(self) -> None:
        worker = self.attached()
        for _ in range(2):
            worker.call("pool")
            self.assertEqual(worker.reply()[1], [0, 1, 2])
        self.assertEqual(sorted(worker.end()[1].split("\n")), sorted(["", "at import", *(f"forked {number % 3}" for number in range(6))]))

    def test_may_fork_while_another_call_prints(self) -> None:
        worker = self.attached()
        ids = [worker.call("fork_beside", True), worker.call("fork_beside", False)]
        outputs: List[Tuple[int, bytes]] = []
        self.assertEqual(dict(worker.reply(outputs) for _ in ids), {1: 0, 2: 1})
        # Newer versions of Python also warn of threads.
        printed = b"".join(piece for id, piece in outputs if id == 1).split()
        self.assertEqual(printed, [b"%d" % number for number in range(3000)])
        self.assertEqual(worker.end()[1].count("forked\n"), 20)

    def test_serves_the_whole_program(self) -> None:
        worker = self.attached()
        worker.call("main()")
        outputs: List[Tuple[int, bytes]] = []
        self.assertEqual((worker.reply(outputs)[1], outputs), ({"arguments": ["argument"]}, [(1, b"the body\n")]))

    def test_gives_back_calls_that_have_not_started(self) -> None:
        worker = self.attached()
        mark, until = str(self.folder / "mark"), str(self.folder / "until")
        worker.call("mark", mark, until)
        for number in range(4):
            worker.call("double", number)
        while not os.path.exists(mark):
            time.sleep(0.005)
        worker.send("revoke", ids=[1, 3, 5, 77])
        self.assertEqual(worker.await_frame("revoked")["ids"], [3, 5])
        pathlib.Path(until).touch()
        self.assertEqual(worker.replies(3), {1: mark, 2: 0, 4: 4})

    def test_drops_calls_that_have_not_started_at_its_end(self) -> None:
        worker = self.attached()
        mark, until = str(self.folder / "mark"), str(self.folder / "until")
        worker.call("mark", mark, until)
        worker.call("mark", str(self.folder / "other"), until)
        while not os.path.exists(mark):
            time.sleep(0.005)
        worker.send("end")
        worker.call("double", 1)
        # Its reader has seen `end` when it answers to this.
        worker.send("revoke", ids=[2])
        self.assertEqual(worker.await_frame("revoked")["ids"], [])
        pathlib.Path(until).touch()
        self.assertEqual([each.header["type"] for each in worker.stream], ["result"])
        self.assertEqual(worker.ended()[0], 0)
        self.assertFalse((self.folder / "other").exists())

    def test_runs_several_calls_at_once(self) -> None:
        worker = self.attached()
        for function, arguments in (("meet", [3, 3, 3]), ("meet_in_threads", [1, 2, 3])):
            ids = [worker.call(function, each) for each in arguments]
            # The next function waits until they have ended.
            worker.call("double", 4)
            outputs: List[Tuple[int, bytes]] = []
            replies = [worker.reply(outputs) for _ in range(4)]
            self.assertEqual(replies[3], (worker.last, 8))
            self.assertEqual(sorted(id for id, _ in replies[:3]), ids)
            self.assertEqual(sorted(id for id, _ in outputs), ids)
            if function == "meet_in_threads":
                self.assertEqual(sorted(outputs), [(id, f"thread {number}\n".encode()) for number, id in enumerate(ids, 1)])
        worker.call("meet", 1)
        self.assertEqual(worker.reply()[1], 4)
        self.assertEqual(worker.end()[0], 0)

    def test_sets_up_once_and_tears_down_at_its_end(self) -> None:
        worker = self.attached()
        outputs: List[Tuple[int, bytes]] = []
        for number in range(3):
            worker.call("use", number)
            self.assertEqual(worker.reply(outputs)[1], [number + 2, number, "heavy"])
        self.assertEqual(outputs, [(1, b"loading\n")])
        for expected in ({"name": "ValueError", "message": "not yet"}, ["late", 1], ["late", 2]):
            worker.call("use_late", worker.last - 3)
            reply = worker.reply()[1]
            self.assertEqual({name: reply[name] for name in expected} if isinstance(expected, dict) else reply, expected)
        self.assertEqual(worker.end()[0], 0)
        self.assertEqual([(each.name, each.read_text()) for each in self.folder.iterdir()], [("unloaded", "4 heavy")])

    def test_hands_a_function_items_in_batches(self) -> None:
        worker = self.attached()
        ids = [worker.call("many", number) for number in range(1, 6)]
        started, replies = [], {}
        while len(replies) < 5:
            frame = next(worker.stream)
            if frame.header["type"] == "started":
                started.append(frame.header["ids"])
            elif frame.header["type"] == "result":
                replies[frame.header["id"]] = json.loads(frame.bodies[0])
        self.assertEqual(started, [[1, 2, 3], [4, 5]])
        self.assertEqual(replies, {id: [id, 3 if id < 4 else 2] for id in ids})
        # One that cannot be handed on fails alone. A wrong number of results fails all.
        worker.call("many", 0)
        worker.call("many", 2)
        self.assertEqual([worker.reply()[1] for _ in range(2)][1], [2, 2])
        worker.call("many", 13)
        self.assertIn('"many" returned 0 results for a batch of 1 items', worker.reply()[1]["message"])
        # So does one that cannot be read.
        worker.call("many", 3)
        worker.last += 1
        worker.channel.send(f'"type":"call","id":{worker.last},"function":"many"', [b'[{"$slipway":"date","value":"soon"}]'])
        worker.call("many", 4)
        replies = worker.replies(3)
        self.assertEqual((replies[9], replies[11]), ([3, 2], [4, 2]))
        self.assertEqual((replies[10]["name"], replies[10]["code"]), ("Failure", "function-failed"))
        # It does not wait for more at its end, or when another function is next.
        worker.call("many", 5)
        worker.call("double", 5)
        self.assertEqual(worker.replies(2), {12: [5, 1], 13: 10})

    def test_calls_other_functions_where_it_is(self) -> None:
        worker = self.attached()
        worker.call("outer", 3)
        worker.call("outer_late", 4)
        self.assertEqual(worker.replies(2), {1: [6, [2, 4], [7, 1], [8, 10]], 2: 4})

    def test_removes_the_scratch_folder_of_each_call(self) -> None:
        worker = self.attached()
        worker.call("scratch", "a")
        folder, file = worker.reply()[1]
        self.assertFalse(os.path.exists(folder))
        self.assertEqual([each.name for each in self.folder.iterdir()], [file.digest[7:]])
        worker.call("read", file)
        path, text = worker.reply()[1]
        self.assertEqual((text, os.path.basename(path), os.path.exists(path)), ("a", "a.txt", False))
        worker.call("leave", 3)
        self.assertEqual(worker.ended()[0], 3)
        self.assertEqual([each.name for each in self.folder.iterdir()], [file.digest[7:]])

    def test_ends_with_the_status_of_a_function_that_ends_it(self) -> None:
        for function, argument, expected in (
            ("leave", [0], 0), ("leave", [7], 7), ("leave", [None], 0), ("leave", ["why"], 1), ("die", [9], 9), ("leave_thread", [], 5),
        ):
            worker = self.attached()
            worker.call(function, *argument)
            printed = b"".join(each.bodies[0] for each in worker.stream if each.header["type"] == "output")
            self.assertEqual(worker.ended()[0], expected)
            self.assertEqual(printed, {"leave": b"leaving"}.get(function, b"") + (b"why\n" if argument == ["why"] else b""))

    def test_ends_when_it_is_told_to_by_a_signal(self) -> None:
        worker = self.attached()
        worker.call("mark", str(self.folder / "mark"), str(self.folder / "never"))
        while not (self.folder / "mark").exists():
            time.sleep(0.005)
        worker.child.terminate()
        self.assertEqual(worker.ended()[0], 143)
        idle = self.attached()
        idle.child.terminate()
        self.assertEqual(idle.ended()[0], 143)

    def test_ends_when_its_helper_is_gone(self) -> None:
        for kind in ("fd", "stdio"):
            worker = self.attached(kind)
            worker.call("mark", str(self.folder / "mark"), str(self.folder / "never"))
            while not (self.folder / "mark").exists():
                time.sleep(0.005)
            worker.close()
            self.assertEqual(worker.ended()[0], 129)
            (self.folder / "mark").unlink()

    def test_ends_at_what_is_no_frame(self) -> None:
        wrong = (
            b"GET / HTTP/1.0\n", b'{"type":"call","id":"1","function":"double"}\n', b'{"type":"ack"}\n', b'{"type":"revoke","ids":5}\n', b"\0" * 70_000,
        )
        for kind, data in ((kind, data) for kind in ("fd", "tcp") for data in wrong):
            with self.subTest(f"{kind} {data[:30]!r}"):
                worker = self.attached(kind)
                worker.channel._write(data)
                status, err = worker.ended()
                self.assertEqual(status, 129)
                self.assertIn("slipway: ", err)
        worker = self.attached()
        worker.channel._write(b'{"type":"future"}\n{"type":"revoke","ids":[[],"a",null]}\n{"type":"revoke"}\n')
        self.assertEqual([worker.await_frame("revoked")["ids"] for _ in range(2)], [[], []])

    def test_in_a_pod_lets_in_only_who_knows_the_token(self) -> None:
        worker = self.worker("tcp")
        for data in (
            b'{"type":"attach","protocol":1,"token":"wrong"}\n', b'{"type":"attach","protocol":1}\n', b'{"type":"attach","token":["secret"]}\n',
            b'{"type":"call","id":1,"function":"die","sizes":[3]}\n[1]', b"x\n", b'{"type":"attach","token":"secret","sizes":[9]}\n123456789',
        ):
            stranger = worker.connected()
            stranger._write(data)
            self.assertEqual(stranger.read(1), b"", data)
            stranger._source.close()  # type: ignore[union-attr]
        worker.attach()
        worker.call("double", 2)
        self.assertEqual(worker.reply(), (1, 4))

    def test_in_a_pod_goes_on_without_a_connection(self) -> None:
        worker = self.attached("tcp")
        mark, until = str(self.folder / "mark"), str(self.folder / "until")
        worker.call("double", 1)
        worker.reply()
        worker.call("double", 2)
        worker.reply()
        worker.send("ack", replies=1)
        worker.call("mark", mark, until)
        worker.call("double", 3)
        while not os.path.exists(mark):
            time.sleep(0.005)
        worker.channel.close()
        hello = worker.reconnect()
        # One reply has no acknowledgement, so it comes again.
        self.assertEqual((hello["received"], hello["replies"]), (4, 1))
        self.assertEqual(worker.reply(), (2, 4))
        worker.channel.close()
        pathlib.Path(until).touch()
        hello = worker.reconnect()
        self.assertEqual(hello["replies"], 1)
        self.assertEqual([worker.reply() for _ in range(3)], [(2, 4), (3, mark), (4, 6)])
        worker.send("ack", replies=4)
        worker.send("ack", replies=2)
        worker.send("ack", replies=99)
        worker.call("double", 5)
        self.assertEqual(worker.reply(), (5, 10))
        self.assertEqual(worker.reconnect()["replies"], 4)

    def test_in_a_pod_says_again_what_it_gave_back_and_began(self) -> None:
        worker = self.attached("tcp")
        mark, until = str(self.folder / "mark"), str(self.folder / "until")
        worker.call("mark", mark, until)
        worker.call("double", 1)
        worker.call("many", 3)
        while not os.path.exists(mark):
            time.sleep(0.005)
        worker.send("revoke", ids=[2])
        worker.await_frame("revoked")
        worker.channel.close()
        worker.reconnect()
        self.assertEqual(worker.await_frame("revoked")["ids"], [2])
        pathlib.Path(until).touch()
        worker.await_frame("result")
        worker.await_frame("started")
        worker.send("ack", replies=1)
        worker.await_frame("result")
        # It reads frames in their order: the answer says that it has read the one before.
        worker.send("revoke", ids=[99])
        worker.await_frame("revoked")
        worker.channel.close()
        self.assertEqual(worker.reconnect()["replies"], 1)
        # An acknowledged reply stands for all before it.
        self.assertEqual([next(worker.stream).header["type"] for _ in range(2)], ["started", "result"])

    def test_in_a_pod_prefers_the_newer_connection(self) -> None:
        worker = self.attached("tcp")
        old = worker.channel
        # The old one never reads, so that replies fill it up.
        for _ in range(40):
            worker.call("same", b"x" * 1_000_000)
        hello = worker.reconnect()
        worker.last = hello["received"]
        sender = threading.Thread(target=lambda: [worker.call("same", b"x" * 1_000_000) for _ in range(worker.last, 40)])
        sender.start()
        self.assertEqual(sorted(worker.reply()[0] for _ in range(40 - hello["replies"])), list(range(hello["replies"] + 1, 41)))
        sender.join()
        # The worker has ended the old one.
        while old.read(1 << 20):
            pass
        worker.call("double", 1)
        self.assertEqual(worker.reply(), (41, 2))


if __name__ == "__main__":
    unittest.main()
