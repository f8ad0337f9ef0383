"""Files, folders and large values of functions, in processes."""

import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Tuple

from helped import ENVIRONMENT
from slipway import Failure, UserError, _file_place, _files, _folder_tar
from slipway._values import copied, decode, encode

PROGRAM = str(pathlib.Path(__file__).with_name("files_program.py"))
# The folder of the programs, as src/sdk/files.test.ts has it: both give the same bytes.
TREE_DIGEST = "sha256:f44017b684c47181737295ad655100b56a0ccef8eefa3378fdb2aeb0397b59f0"


def digest_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class Files(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)
        self.data = self.folder / "data.csv"
        self.data.write_text("a,b\n")

    def run_program(self, scenario: str) -> Tuple[Any, str, int]:
        cache = self.folder / "cache"
        ended = subprocess.run(
            [sys.executable, PROGRAM, scenario],
            env={**ENVIRONMENT, "XDG_CACHE_HOME": str(cache), "BUILD_WORKING_DIRECTORY": str(self.folder), "OUT": "out", "DATA": "data.csv"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        left = cache / "slipway" / "files"
        self.assertEqual(list(left.iterdir()) if left.exists() else [], [])
        return json.loads(ended.stdout or "null"), ended.stderr, ended.returncode

    def test_come_back_and_go_on(self) -> None:
        result, err, _ = self.run_program("result")
        self.assertEqual(result, ["written", "model.bin", 5, digest_of("hello"), "hello"], err)
        self.assertEqual((self.folder / "out" / "deep" / "saved.bin").read_text(), "hello")
        self.assertEqual(os.listdir(self.folder / "out" / "deep"), ["saved.bin"])
        result, err, _ = self.run_program("argument")
        expected = {"name": "data.csv", "base": "data.csv", "size": 4, "text": "a,b\n", "same": True, "digest": digest_of("a,b\n")}
        self.assertEqual(result, expected, err)
        self.assertEqual(self.run_program("chain")[0]["text"], "chained")
        self.assertEqual(self.run_program("map")[0], ["a,b\n", "a,b\n"])
        self.assertEqual(self.run_program("nested")[0], ["a,b\n", "inner"])

    def test_may_be_folders_with_the_bytes_that_typescript_gives_them(self) -> None:
        result, err, _ = self.run_program("folder")
        files = ["größe.txt", "sub", "sub/empty", "sub/link", "sub/run.sh"]
        expected = {"files": files, "link": "12", "is_executable": True, "base": "tree", "digest": TREE_DIGEST}
        self.assertEqual(result, expected, err)
        self.assertTrue(os.access(self.folder / "out" / "tree" / "sub" / "run.sh", os.X_OK))

    def test_carry_what_is_too_long_for_json(self) -> None:
        result, err, _ = self.run_program("large")
        self.assertEqual(result, [20 << 20, 20 << 20], err)

    def test_are_not_what_only_looks_like_one(self) -> None:
        value = {"$slipway": "file", "digest": "x", "deep": [{"$slipway": "object", "value": 1}]}
        self.assertEqual(self.run_program("like")[0], value)
        seed = int(os.environ.get("SLIPWAY_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        draw = random.Random(seed)
        for _ in range(500):
            value = lookalike(draw, 4)
            self.assertEqual(decode(copied(encode(value, "it"))), value)

    def test_have_the_form_that_typescript_reads_and_writes(self) -> None:
        digest = digest_of("hello")
        form = f'[{{"$slipway":"file","digest":"{digest}","name":"model.bin","size":5}}]'
        (self.folder / digest[7:]).write_text("hello")
        _files.use_place(lambda: _file_place.FilePlace(str(self.folder), _file_place.lost))
        found = []
        value = decode([form.encode()], found.append)
        self.assertEqual((value, found[0].name, found[0].size, found[0].digest), (found, "model.bin", 5, digest))
        self.assertEqual(copied(encode(value, "it")), [form.encode()])
        for wrong in ('"size":-1', '"name":"../x"', '"digest":"md5:1"', '"$slipway":"socket"'):
            with self.assertRaises(Failure):
                decode([f"{form[1:-2]},{wrong}}}".encode()])
        # Its content has to be there.
        (self.folder / digest[7:]).unlink()
        with self.assertRaises(Failure) as raised:
            encode(value, "it")
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("content-lost", digest))

    def test_are_refused_by_name(self) -> None:
        for scenario, code, problem in (
            ("missing", "file-unreadable", "/tmp/nothing does not exist."),
            ("missing_argument", "file-unreadable", "nowhere.csv does not exist."),
            ("early", "value-invalid", "nowhere.csv has no digest yet."),
        ):
            _, err, status = self.run_program(scenario)
            self.assertIn(problem, err)
            self.assertIn(f"[{code}]\n", err)
            self.assertEqual(status, 2)

    def test_are_refused_when_damaged_or_gone(self) -> None:
        place = _file_place.FilePlace(str(self.folder), _file_place.lost)
        content = place.put(str(self.data), "file", False)
        os.chmod(place.path_of(content), 0o644)
        pathlib.Path(place.path_of(content)).write_text("b,a\n")
        again = _file_place.FilePlace(str(self.folder), _file_place.lost)
        for path in ("kept", "data.csv"):
            with self.assertRaises(Failure) as raised:
                again.save({**content, "kind": "file", "name": "x"}, str(self.folder / path))
            self.assertEqual((raised.exception.code, raised.exception.culprit), ("content-lost", content["digest"]))
        self.assertEqual(self.data.read_text(), "a,b\n")
        os.unlink(place.path_of(content))
        with self.assertRaises(Failure) as raised:
            again.locate(content)
        self.assertEqual(raised.exception.code, "content-lost")

    def test_are_refused_if_a_container_replaced_them(self) -> None:
        place = _file_place.FilePlace(str(self.folder), _file_place.lost)
        form = {"kind": "file", "name": "data.csv", **place.put(str(self.data), "file", False)}
        stored, other = place.path_of(form), str(self.folder / "other")
        pathlib.Path(other).write_text("key\n")
        for replace in (
            lambda: os.symlink(other, stored),
            lambda: os.mkfifo(stored),
            lambda: os.mkdir(stored),
            lambda: pathlib.Path(stored).write_text("b,a\n"),
        ):
            _file_place._remove(stored)
            replace()
            # The helper stores in a registry what is here.
            is_file = os.path.isfile(stored) and not os.path.islink(stored)
            self.assertEqual(place.has(form), is_file)
            for use in (lambda: place.save(form, str(self.folder / "out")), lambda: place.read(form)):
                with self.assertRaises(Failure) as raised:
                    use()
                self.assertEqual(raised.exception.code, "content-lost")
            self.assertEqual(sorted(os.listdir(self.folder)), sorted(["data.csv", "other", os.path.basename(stored)]))

    def test_never_replace_what_they_do_not_own(self) -> None:
        place = _file_place.FilePlace(str(self.folder), _file_place.lost)
        tree, full, link = self.folder / "tree", self.folder / "full", self.folder / "link"
        tree.mkdir()
        full.mkdir()
        (full / "b").write_text("old")
        link.symlink_to(full)
        form = {"kind": "folder", "name": "tree", **place.put(str(tree), "folder", False)}
        for path in (full, link):
            with self.assertRaises(UserError) as raised:
                place.save(form, str(path))
            self.assertEqual((raised.exception.code, raised.exception.culprit), ("file-unwritable", str(path)))
        self.assertEqual(os.listdir(full), ["b"])

    def test_may_not_be_pipes(self) -> None:
        os.mkfifo(self.folder / "pipe")
        with self.assertRaises(UserError):
            list(_folder_tar.tar_of(str(self.folder)))


def lookalike(draw: random.Random, depth: int) -> Any:
    """A value of a user, which may look like a file or like what stands for such a value."""
    kind = draw.randrange(5 if depth else 1)
    if kind == 0:
        return draw.choice([None, 1, "file", "$slipway", 1.5])
    if kind == 1:
        return [lookalike(draw, depth - 1) for _ in range(draw.randrange(3))]
    if kind == 2:
        return {"$slipway": draw.choice(["file", "folder", "value", "object", 1]), "digest": digest_of(""), "size": 0, "name": "x"}
    if kind == 3:
        return {"$slipway": "object", "value": lookalike(draw, depth - 1)}
    keys = ["$slipway", "value", "digest", "size", "name"]
    return {draw.choice(keys): lookalike(draw, depth - 1) for _ in range(draw.randrange(4))}


if __name__ == "__main__":
    unittest.main()
