"""Folders that functions made, as tars. The hostile ones are those of src/sdk/folder-tar.test.ts."""

import json
import os
import pathlib
import random
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from typing import Any, Dict, List, Tuple

from slipway import UserError, _folder_tar

HOSTILE = pathlib.Path(__file__).parents[2] / "src" / "sdk" / "testdata" / "hostile-tars.json"
NAMES = ["a", "b", "A", "c d", ".x", "-"]
PATHS = ["../outside/x", "a/../../outside/x", "OUTSIDE/x", "a/x", "b/x", ".", "", "a//b", "a/"]
LINKS = ["../outside", "OUTSIDE", "a", "b", "..", ".", "a/..", "../..", "a/b/../../..", ""]

Entry = Dict[str, Any]


def drawn_tar(entries: List[Entry], outside: str, end: int = 1024) -> bytes:
    """`drawnTar` of src/sdk/testdata/drawn-tar.ts."""

    def put(text: str) -> str:
        return text.replace("OUTSIDE", outside)

    made = b""
    for entry in entries:
        content = entry.get("content", "").encode()
        body = b"".join(_folder_tar._record(key.encode(), put(value).encode()) for key, value in entry.get("pax", []))
        body = entry.get("paxRaw", "").encode() or body
        if body:
            made += _block({"path": entry.get("paxPath", "pax"), "flag": "x", "mode": 0o644}, len(body)) + _padded(body)
        own = {**entry, "path": put(entry["path"]), "link": put(entry.get("link", ""))}
        made += _block(own, len(content)) + _padded(content)
    return made + bytes(end)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def _block(entry: Entry, size: int) -> bytes:
    name, link = entry["path"].encode()[:100], entry.get("link", "").encode()[:100]
    kind, mode = entry.get("flag", "0").encode(), entry.get("mode", 0o755)
    block = bytearray(_folder_tar._block((b"", name), kind, mode, entry.get("claim", size), link))
    patches = [(at, text.encode("latin1")) for at, text in entry.get("patch", [])]
    for at, text in patches:
        block[at : at + len(text)] = text
    if all(at != 148 for at, _ in patches):
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def tree_of(folder: str) -> Dict[str, Tuple[str, Any]]:
    """Every path below a folder, with its kind and content."""
    found: Dict[str, Tuple[str, Any]] = {}
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(parent, name)
            key = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[key] = ("link", os.readlink(path))
            elif os.path.isfile(path):
                found[key] = ("file", (pathlib.Path(path).read_bytes(), os.access(path, os.X_OK)))
            else:
                found[key] = ("folder" if os.path.isdir(path) else "other", None)
    return found


class FolderTars(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.base = os.path.realpath(made.name)
        self.outside = os.path.join(self.base, "outside")
        self.new = os.path.join(self.base, "new")
        os.mkdir(self.outside)
        pathlib.Path(self.outside, "secret").write_text("secret")
        self.before = tree_of(self.base)

    def unpack(self, tar: bytes) -> str:
        """Unpacks, and looks at what came of it. Returns the problem."""
        problem = ""
        try:
            # In pieces that end anywhere.
            _folder_tar.unpack_tar((tar[at : at + 700] for at in range(0, len(tar), 700)), self.new)
        except _folder_tar.NotATar as error:
            problem = str(error)
        now = {path: kind for path, kind in tree_of(self.base).items() if path.split("/")[0] != "new"}
        self.assertEqual(now, self.before)
        for path in tree_of(self.new):
            full = os.path.join(self.new, path)
            self.assertTrue(not os.path.exists(full) or f"{os.path.realpath(full)}/".startswith(f"{self.new}/"), path)
        return problem

    def test_are_refused_as_in_typescript(self) -> None:
        for each in json.loads(HOSTILE.read_text()):
            with self.subTest(each["name"]):
                tar = drawn_tar(each["entries"], self.outside, each.get("end", 1024))
                self.assertEqual(self.unpack(tar), each["problem"])
            shutil.rmtree(self.new, ignore_errors=True)

    def test_are_refused_if_a_file_has_the_target_of_a_link(self) -> None:
        for kind in (tarfile.REGTYPE, tarfile.DIRTYPE):
            tar = bytearray(_folder_tar._header("a", tarfile.SYMTYPE, 0o755, target="b") + bytes(1024))
            tar[156:157] = kind
            tar[148:156] = b"%06o\0 " % (sum(tar[:148]) + sum(tar[156:512]) + 256)
            self.assertIn("an entry is not that of a folder", self.unpack(bytes(tar)))
            shutil.rmtree(self.new, ignore_errors=True)

    def test_give_the_same_bytes_again_if_they_are_taken(self) -> None:
        seed = int(os.environ.get("SLIPWAY_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        draw = random.Random(seed)
        taken = compared = 0
        for _ in range(400):
            tar = bytearray(drawn_tar(drawn_entries(draw), self.outside))
            if draw.randrange(4) == 0:
                tar[draw.randrange(len(tar))] ^= 1 << draw.randrange(8)
            if self.unpack(bytes(tar)) == "":
                taken += 1
                self.assertEqual(b"".join(_folder_tar.tar_of(self.new)), bytes(tar))
                compared += self.compare(bytes(tar))
            shutil.rmtree(self.new)
        self.assertGreater(taken, 20)
        self.assertGreater(compared, 20)

    def compare(self, tar: bytes) -> int:
        """Compares with what tarfile's filter `data` and GNU tar unpack without complaint."""
        own, count = tree_of(self.new), 0
        with tempfile.TemporaryDirectory() as other:
            file, unpacked = os.path.join(other, "tar"), os.path.join(other, "unpacked")
            pathlib.Path(file).write_bytes(tar)
            os.mkdir(unpacked)
            if subprocess.run(["tar", "-xf", file, "-C", unpacked], stderr=subprocess.DEVNULL).returncode == 0:
                self.assertEqual(tree_of(unpacked), own)
                count = 1
            shutil.rmtree(unpacked)
            # Older Pythons have no filters.
            if hasattr(tarfile, "data_filter"):
                try:
                    with tarfile.open(file, errorlevel=1) as archive:
                        archive.extractall(unpacked, filter="data")
                except (tarfile.TarError, OSError):
                    return count
                self.assertEqual(tree_of(unpacked) if os.path.exists(unpacked) else {}, own)
        return count

    def test_are_not_made_of_a_folder_with_a_link_that_can_lead_out(self) -> None:
        for target in ("/etc/passwd", "..", "x/../../y", "a/.."):
            with tempfile.TemporaryDirectory() as folder:
                link = os.path.join(folder, "link")
                os.symlink(target, link)
                with self.assertRaises(UserError) as raised:
                    list(_folder_tar.tar_of(folder))
                self.assertEqual((raised.exception.code, raised.exception.culprit), ("file-unreadable", link))


def drawn_entries(draw: random.Random) -> List[Entry]:
    """Entries as `tar_of` orders them, some with a change or two."""
    known: Dict[Tuple[str, ...], Entry] = {}
    for _ in range(draw.randrange(10)):
        parts = tuple(draw.choice(NAMES) for _ in range(draw.randrange(1, 4)))
        parents = [parts[:count] for count in range(1, len(parts))]
        if parts in known or any(known.get(each, {"flag": "5"}).get("flag") != "5" for each in parents):
            continue
        for each in parents:
            known[each] = {"path": "/".join(each) + "/", "flag": "5"}
        path, kind = "/".join(parts), draw.randrange(4)
        known[parts] = [
            {"path": f"{path}/", "flag": "5"},
            {"path": path, "flag": "2", "link": draw.choice(LINKS)},
            {"path": path, "content": "x" * 600, "mode": 0o644},
            {"path": path, "content": ""},
        ][kind]
    entries = [known[key] for key in sorted(known)]
    for _ in range(draw.choice((0, 0, 1, 2))):
        at, path, kind = draw.randrange(len(entries) + 1), draw.choice(PATHS), draw.randrange(6)
        if kind < 3:
            inserted = ({"content": "evil"}, {"flag": "2", "link": draw.choice(LINKS)}, {"flag": "5"})[kind]
            entries.insert(at, {"path": f"{path}/" if kind == 2 else path, **inserted})
        elif at < len(entries):
            change = {"flag": draw.choice("0123456gxLKS")} if kind == 3 else {"pax": [["path", path]]}
            changed = {**entries[at], **change} if kind < 5 else entries[at]
            del entries[at]
            entries.insert(at if kind < 5 else draw.randrange(len(entries) + 1), changed)
    return entries


if __name__ == "__main__":
    unittest.main()
