"""Where a program finds packages that were brought for one platform."""

import os
import pathlib
import unittest

import pure


class Packages(unittest.TestCase):
    def test_are_in_a_folder_whose_name_no_platform_is_part_of(self) -> None:
        self.assertEqual(pure.answer, 42)
        folder = pathlib.Path(pure.__file__).relative_to(os.environ["RUNFILES_DIR"])
        self.assertRegex(
            str(folder), r"^([^/]*[~+])?slipway_test_pip/site-packages/pure/__init__.py$"
        )

    def test_are_there_once(self) -> None:
        runfiles = pathlib.Path(os.environ["RUNFILES_DIR"])
        self.assertEqual(len(list(runfiles.glob("*/site-packages"))), 1)


if __name__ == "__main__":
    unittest.main()
