"""Which imports of a Python target are mistakes."""

import unittest

from bazel.private.python.check_imports import check_imports


def missing(main, others=(), packages=()):
    files = {"main.py": main} | dict(others)
    found = check_imports(
        {path: text.encode() for path, text in files.items()}, ["main.py"], list(files), set(packages)
    )
    return [(path, line, column, name) for path, line, column, name, _ in found]


class Imports(unittest.TestCase):
    def test_of_a_package_that_is_not_declared_is_missing(self) -> None:
        self.assertEqual(missing("import os, requests\n"), [("main.py", 1, 12, "requests")])
        self.assertEqual(missing("from requests.auth import A\n"), [("main.py", 1, 1, "requests.auth")])
        self.assertEqual(missing("import requests.auth\nimport xml.dom\n", packages=["requests"]), [])

    def test_of_a_local_module_follow_its_path(self) -> None:
        lib = {"lib/a.py": "", "lib/b.py": ""}
        self.assertEqual(missing("import lib.a\nfrom lib import b, c\n", lib), [("main.py", 2, 1, "lib.c")])
        self.assertEqual(missing("from lib import c\n", {"lib/__init__.py": "c = 1"}), [])
        self.assertEqual(missing("from . import a, b\n", {"a.py": ""}), [("main.py", 1, 1, "b")])
        self.assertEqual(missing("import lib.a", {"lib/a.py": "from .b import c"}), [("lib/a.py", 1, 1, "lib.b")])

    def test_may_be_optional(self) -> None:
        for program in [
            "try:\n  import a\nexcept ImportError:\n  import b\n",
            "try:\n  import a\nexcept (OSError, ModuleNotFoundError) as e:\n  pass\n",
            "try:\n  import a\nexcept:\n  pass\n",
            "import typing\nif typing.TYPE_CHECKING:\n  import a\n",
            "import sys\nif sys.version_info >= (3, 11):\n  import tomllib\nelse:\n  import a\n",
            "import contextlib\nwith contextlib.suppress(ImportError):\n  import a\n",
            "def f():\n  try:\n    import a\n  except ImportError:\n    pass\n",
        ]:
            self.assertEqual(missing(program), [], program)
        self.assertEqual(missing("def f():\n  import a\n"), [("main.py", 2, 10, "a")])
        self.assertEqual(missing("try:\n  import a\nexcept OSError:\n  pass\n"), [("main.py", 2, 10, "a")])
        self.assertEqual(missing("try:\n  import a\nfinally:\n  pass\n"), [("main.py", 2, 10, "a")])

    def test_of_modules_that_the_program_does_not_import_are_not_read(self) -> None:
        self.assertEqual(missing("", {"main_test.py": "import pytest"}), [])
        self.assertEqual(missing("import lib.x", {"lib/__init__.py": "import a", "lib/x.py": ""}), [("lib/__init__.py", 1, 8, "a")])

    def test_of_another_version_of_the_language_are_not_read(self) -> None:
        self.assertEqual(missing("import a\nprint 'b'\n"), [])
        self.assertEqual(missing("# coding: latin-1\nimport a\n"), [("main.py", 2, 8, "a")])

    def test_are_unknown_with_a_folder_of_generated_modules(self) -> None:
        self.assertEqual(check_imports({"main.py": b"import a"}, ["main.py"], ["main.py"], None), [])


if __name__ == "__main__":
    unittest.main()
