"""Which wheels are unpacked, and where their files go."""

from __future__ import annotations

import os
import pathlib
import stat
import tempfile
import unittest
import zipfile

from bazel.private.python.unpack_wheels import Refused, unpack_wheels

_INFO = {"good-1.0.dist-info/RECORD": b"", "good/__init__.py": b"answer = 42\n"}
_WHEEL = "good-1.0-py3-none-any.whl"


class Wheels(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.wheels = self.top / "a/b/wheels"
        self.wheels.mkdir(parents=True)
        self.root = self.top / "a/b/site-packages"

    def write(self, *entries: tuple[str | zipfile.ZipInfo, bytes], wheel: str = _WHEEL) -> None:
        with zipfile.ZipFile(self.wheels / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in entries:
                if isinstance(entry, str):
                    # The constructor would change names, as it does for entries of honest archives.
                    info = zipfile.ZipInfo("name")
                    info.filename = info.orig_filename = entry
                    entry = info
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)

    def unpack(self) -> dict[str, list[str]]:
        return unpack_wheels(str(self.wheels), str(self.root))

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.top)) for path in self.top.rglob("*") if not path.is_dir())

    def refuses(self, *entries: tuple[str | zipfile.ZipInfo, bytes], wheel: str = _WHEEL) -> None:
        self.write(*_INFO.items(), *entries, wheel=wheel)
        before = self.files()
        with self.assertRaisesRegex(Refused, wheel):
            self.unpack()
        self.assertEqual(self.files(), before, "nothing is written before all wheels are checked")
        (self.wheels / wheel).unlink()

    def test_refuses_names_that_leave_the_folder_or_are_no_labels(self) -> None:
        for name in [
            "../../x",
            "good/../../../x",
            "/x",
            str(self.top / "x"),
            "..\\x",
            "C:/x",
            "C:x",
            "good//x",
            "good/./x",
            "./x",
            "..",
            "/",
            "",
            "../",
            "good-1.0.data/purelib/../../x",
            "good-1.0.data/purelib//x",
            "good-1.0.data/scripts/../../x",
            "good/x\ny",
            "good/x\x1b[2Jy",
            "good/x\x7fy",
            "x*/a.py",
            "?/a.py",
            "good-1.0.data/platlib/*.py",
        ]:
            with self.subTest(name=name):
                self.refuses((name, b"x"))

    def test_refuses_a_name_with_nul(self) -> None:
        self.write(*_INFO.items(), ("good/x#y", b""))
        wheel = self.wheels / _WHEEL
        wheel.write_bytes(wheel.read_bytes().replace(b"good/x#y", b"good/x\0y"))
        with self.assertRaisesRegex(Refused, "good.*x00"):
            self.unpack()

    def test_refuses_links_and_devices(self) -> None:
        for kind in [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO]:
            info = zipfile.ZipInfo("good/link")
            info.external_attr = (kind | 0o777) << 16
            with self.subTest(kind=kind):
                self.refuses((info, b"/etc/passwd"))

    def test_refuses_a_place_that_two_entries_have(self) -> None:
        self.refuses(("good/__init__.py", b"other"))
        self.refuses(("good-1.0.data/purelib/good/__init__.py", b"other"))

    def test_refuses_a_file_that_another_entry_has_as_its_folder(self) -> None:
        self.write(*_INFO.items(), ("good/a", b""), ("good/a/b", b""))
        with self.assertRaisesRegex(Refused, _WHEEL):
            self.unpack()

    def test_refuses_the_metadata_of_another_package(self) -> None:
        self.refuses(("other-1.0.dist-info/METADATA", b"Name: other\n"))
        self.refuses(("good-1.0.data/purelib/other-1.0.dist-info/METADATA", b""))
        self.refuses(wheel="other-1.0-py3-none-any.whl")
        self.refuses(wheel="goo-1.0-py3-none-any.whl")

    def test_refuses_a_bomb(self) -> None:
        self.refuses(("good/zeros", bytes(96 << 20)))

    def test_refuses_what_is_no_archive(self) -> None:
        (self.wheels / _WHEEL).write_bytes(b"no archive")
        with self.assertRaisesRegex(Refused, _WHEEL):
            self.unpack()

    def test_refuses_changed_bytes(self) -> None:
        self.write(*_INFO.items(), ("good/random", os.urandom(1000)))
        wheel = self.wheels / _WHEEL
        content = bytearray(wheel.read_bytes())
        content[content.index(b"good/random") + 500] ^= 1
        wheel.write_bytes(content)
        with self.assertRaisesRegex(Refused, _WHEEL):
            self.unpack()

    def test_writes_nothing_if_a_later_wheel_is_refused(self) -> None:
        self.write(*_INFO.items())
        self.refuses(("../x", b""), wheel="z-1.0-py3-none-any.whl")

    def test_puts_files_in_their_places(self) -> None:
        script = zipfile.ZipInfo("good/run.sh")
        script.external_attr = (stat.S_IFREG | 0o755) << 16
        self.write(
            *_INFO.items(),
            (script, b"#!/bin/sh\n"),
            ("good/BUILD.bazel", b"x"),
            ("good/BUILD", b"x"),
            ("good/a name with 'quotes', \"more\" and ü.txt", b""),
            ("good-1.0.data/scripts/tool", b""),
            ("good-1.0.data/platlib/native.so", b""),
            ("good-1.0.data/purelib/one.py", b""),
        )
        self.assertEqual(self.unpack(), {"good": ["good-1.0.dist-info", "good", "native.so", "one.py"]})
        self.assertEqual(
            sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if not path.is_dir()),
            [
                "good-1.0.dist-info/RECORD",
                "good/__init__.py",
                "good/a name with 'quotes', \"more\" and ü.txt",
                "good/run.sh",
                "native.so",
                "one.py",
            ],
        )
        self.assertEqual((self.root / "good/run.sh").stat().st_mode & 0o333, 0o111)
        self.assertEqual((self.root / "good/__init__.py").stat().st_mode & 0o333, 0)

    def test_shares_a_namespace(self) -> None:
        for name in ["one", "two"]:
            self.write(
                ("{}-1.0.dist-info/RECORD".format(name), b""),
                ("shared/__init__.py", name.encode()),
                ("shared/{}.py".format(name), b""),
                wheel="{}-1.0-py3-none-any.whl".format(name),
            )
        self.assertEqual(
            self.unpack(), {"one": ["one-1.0.dist-info"], "shared": ["shared"], "two": ["two-1.0.dist-info"]}
        )
        self.assertEqual((self.root / "shared/__init__.py").read_bytes(), b"two")


if __name__ == "__main__":
    unittest.main()
