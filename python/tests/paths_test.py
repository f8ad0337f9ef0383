"""Paths that a person writes, and those of a target's data."""

import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

import slipway


class Paths(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = os.path.realpath(made.name)

    def made(self, path: str) -> str:
        file = pathlib.Path(self.folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        return str(file)

    def test_are_relative_to_where_the_user_is(self) -> None:
        with unittest.mock.patch.dict(os.environ, {"BUILD_WORKING_DIRECTORY": self.folder}):
            self.assertEqual(slipway.user_path("a/../b"), os.path.join(self.folder, "b"))
            self.assertEqual(slipway.user_path("/b"), "/b")
            self.assertEqual(slipway.user_path(), self.folder)
            self.assertEqual(slipway.file("b").path, os.path.join(self.folder, "b"))
        with unittest.mock.patch.dict(os.environ):
            os.environ.pop("BUILD_WORKING_DIRECTORY", None)
            self.assertEqual(slipway.user_path("b"), os.path.join(os.getcwd(), "b"))

    def test_of_data_are_those_of_the_repository(self) -> None:
        own, other = self.made("mine/pkg/a.csv"), self.made("other+/b.csv")
        variables = {"RUNFILES_DIR": self.folder, "SLIPWAY_MAIN_REPOSITORY": "mine"}
        with unittest.mock.patch.dict(os.environ, variables):
            self.assertEqual(slipway.data_file("pkg/a.csv"), own)
            self.assertEqual(slipway.data_file("other+/b.csv"), other)
            with self.assertRaises(slipway.UserError) as raised:
                slipway.data_file("pkg/none.csv")
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("file-unreadable", "pkg/none.csv"))

    def test_of_data_are_found_from_the_program_where_nothing_names_the_runfiles(self) -> None:
        data = self.made("main.runfiles/_main/pkg/a.csv")
        program = self.made("main.runfiles/_main/pkg/main.py")
        with unittest.mock.patch.dict(os.environ), unittest.mock.patch.object(sys, "argv", [program]):
            os.environ.pop("RUNFILES_DIR", None)
            self.assertEqual(slipway.data_file("pkg/a.csv"), data)


if __name__ == "__main__":
    unittest.main()
