"""Images of programs. The TypeScript SDK has the same tests."""

import unittest
import unittest.mock

import slipway
from slipway._engine import check_engine
from slipway._images import _parse_images

DIGEST = "sha256:" + "a" * 64
BUILT = {"SLIPWAY_CONTAINER_IMAGE_URIS": f"default##localhost:5000/a@{DIGEST}::slim##localhost:5000/b@{DIGEST}"}


class ContainerImage(unittest.TestCase):
    def test_gives_the_image_of_a_tag_the_default_one_unasked(self) -> None:
        self.assertEqual(slipway.container_image(env=BUILT), f"localhost:5000/a@{DIGEST}")
        self.assertEqual(slipway.container_image("slim", BUILT), f"localhost:5000/b@{DIGEST}")
        self.assertTrue(slipway.has_container_image("slim", BUILT))

    def test_names_the_tag_that_was_not_built_and_those_that_were(self) -> None:
        self.assertFalse(slipway.has_container_image("gpu", BUILT))
        with self.assertRaises(slipway.UserError) as raised:
            slipway.container_image("gpu", BUILT)
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("image-not-found", "gpu"))
        self.assertIn("has images for default, slim.", str(raised.exception))

    def test_says_that_there_is_no_image_at_all(self) -> None:
        for env in ({}, {"SLIPWAY_CONTAINER_IMAGE_URIS": ""}):
            self.assertFalse(slipway.has_container_image(env=env))
            with self.assertRaisesRegex(slipway.UserError, "started without an image"):
                slipway.container_image(env=env)

    def test_lets_the_users_own_image_win_for_every_tag(self) -> None:
        env = {**BUILT, "SLIPWAY_CONTAINER_IMAGE": "ubuntu:24.04"}
        self.assertEqual(slipway.container_image(env=env), "ubuntu:24.04")
        self.assertEqual(slipway.container_image("gpu", env), "ubuntu:24.04")

    def test_reads_the_process_environment_by_default(self) -> None:
        with unittest.mock.patch.dict("os.environ", BUILT, clear=True):
            self.assertTrue(slipway.has_container_image())
        with unittest.mock.patch.dict("os.environ", {}, clear=True):
            self.assertFalse(slipway.has_container_image())


class ChooseEngine(unittest.TestCase):
    def test_refuses_an_engine_that_does_not_exist(self) -> None:
        for name, words in {"kubernets": "did you mean kubernetes", "podman": "is not an engine\\."}.items():
            for env in ({}, BUILT):
                with self.assertRaisesRegex(slipway.UserError, words) as raised:
                    check_engine({**env, "SLIPWAY_ENGINE": name})
                self.assertEqual((raised.exception.code, raised.exception.culprit), ("variable-invalid", "SLIPWAY_ENGINE"))

    def test_takes_processes_without_an_image(self) -> None:
        for env in ({}, {"SLIPWAY_ENGINE": ""}, {"SLIPWAY_ENGINE": "process"}):
            with unittest.mock.patch.dict("os.environ", env, clear=True):
                self.assertEqual(slipway.engine().kind, "process")


class ParseImages(unittest.TestCase):
    def test_divides_only_before_a_tag(self) -> None:
        text = f"default##[::1]:5000/a@{DIGEST}::b-1##h/c@{DIGEST}"
        self.assertEqual(_parse_images(text), {"default": f"[::1]:5000/a@{DIGEST}", "b-1": f"h/c@{DIGEST}"})

    def test_refuses_what_has_no_tag_or_no_address(self) -> None:
        for text in ["localhost/a", "##a", "default##", "h/a::nothing"]:
            with self.subTest(text):
                with self.assertRaises(slipway.UserError) as raised:
                    _parse_images(text)
                self.assertEqual(raised.exception.code, "variable-invalid")


if __name__ == "__main__":
    unittest.main()
