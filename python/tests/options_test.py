"""Options of functions. The TypeScript SDK has the same tests."""

import unittest
from typing import Any, Dict

import slipway
from slipway._options import check_options, seconds


class Options(unittest.TestCase):
    def test_are_those_of_jobs_and_give_memory_in_bytes(self) -> None:
        for text, size in (("1GiB", 2**30), ("512Mi", 2**29), ("1.5kB", 1500), (1000, 1000)):
            given = {"tag": "gpu", "env": {"A": "b"}, "network": "host", "resources": {"cpu": 0.5, "memory": text, "gpu": 1}}
            self.assertEqual(check_options('"f"', given)["resources"], {"cpu": 0.5, "memory": size, "gpu": 1})
        self.assertEqual(check_options('"f"', {"resources": {"instance_type": "big"}}), {"resources": {"instance_type": "big"}})
        self.assertEqual(check_options('"f"', {"tag": None}), {})

    def test_of_workers_give_seconds(self) -> None:
        for wait, number in (("20ms", 0.02), (0.5, 0.5), ("2s", 2), (0, 0)):
            checked = check_options('"f"', {"batch": {"size": 32, "wait": wait}, "keep_warm": "5m", "time_limit": "1h30m"})
            self.assertEqual(checked, {"batch": {"size": 32, "wait": number}, "keep_warm": 300, "time_limit": 5400})
        self.assertEqual(check_options('"f"', {"batch": {"size": 1}})["batch"], {"size": 1, "wait": 0})

    def test_are_refused_by_name(self) -> None:
        cases: Any = (
            ({"resources": {"cpus": 1}}, "resources.cpus", "did you mean cpu?"),
            ({"resources": {"gpus": 1}}, "resources.gpus", "did you mean gpu?"),
            ({"resources": {"memory": "1 apple"}}, "resources.memory", "'1 apple'"),
            ({"resources": {"memory": 0.5}}, "resources.memory", "512MiB"),
            ({"resources": {"cpu": "1"}}, "resources.cpu", "is '1'"),
            ({"resources": {"cpu": float("nan")}}, "resources.cpu", "is nan"),
            ({"resources": {"gpu": True}}, "resources.gpu", "a whole number from 0"),
            ({"resources": {"instance_type": 4}}, "resources.instance_type", "is 4, not a text"),
            ({"resources": {"instanceType": "C4"}}, "resources.instanceType", "did you mean instance_type?"),
            ({"resources": "1GiB"}, "resources", "is not a dict"),
            ({"network": "bridge"}, "network", "'bridge', neither none nor host"),
            ({"env": {"A": 1}}, "env", "does not map names to texts"),
            ({"retries": 101}, "retries", "a whole number from 0 to 100"),
            ({"retries": True}, "retries", "is True"),
            ({"time_limit": "soon"}, "time_limit", "'soon', which is not a duration"),
            ({"time_limit": 0}, "time_limit", "90s, 1h30m"),
            ({"time_limit": ""}, "time_limit", "is ''"),
            ({"volumes": "/data"}, "volumes", "is not a dict"),
            ({"volumes": {"data": {"claim": "a"}}}, "volumes.data", "is not an absolute path"),
            ({"volumes": {"/a/../b": {"claim": "a"}}}, "volumes./a/../b", "plain path"),
            ({"volumes": {"/tmp": {"claim": "a"}}}, "volumes./tmp", "have already"),
            ({"volumes": {"/a": {"claim": "a"}, "/a/b": {"claim": "b"}}}, "volumes./a/b", "is inside /a"),
            ({"volumes": {"/a": "data"}}, "volumes./a", "is not a volume"),
            ({"volumes": {"/a": {}}}, "volumes./a", "neither a claim nor a folder"),
            ({"volumes": {"/a": {"claim": "a", "folder": "b"}}}, "volumes./a", "at once"),
            ({"volumes": {"/a": {"claim": "A"}}}, "volumes./a.claim", "is not the name of a claim"),
            ({"volumes": {"/a": {"folder": ""}}}, "volumes./a.folder", "is not a path"),
            ({"volumes": {"/a": {"claim": "a", "writeable": True}}}, "volumes./a.writeable", "did you mean writable?"),
            ({"volumes": {"/a": {"claim": "a", "writable": "yes"}}}, "volumes./a.writable", "neither True nor False"),
            ({"tag": 1}, "tag", "is not a text"),
            ({"fresh": 1}, "fresh", "neither True nor False"),
            ({"max_calls": 0}, "max_calls", "from 1 to"),
            ({"keep_warm": "20ms"}, "keep_warm", "not a duration"),
            ({"concurrency": 0}, "concurrency", "is 0"),
            ({"batch": 32}, "batch", "is not a batch"),
            ({"batch": {"size": 0}}, "batch", "is not a batch"),
            ({"batch": {"size": 1, "wait": -1}}, "batch", '"wait": "20ms"'),
            ({"batch": {"size": 1, "weight": 1}}, "batch", "is not a batch"),
            ({"batch": {"size": 2}, "concurrency": 2}, "batch", "cannot be used with concurrency"),
            ({"setup": 1}, "setup", "is not a function"),
            ({"teardown": print}, "teardown", "has no setup"),
            ({"parallelism": 2}, "parallelism", "is not an option"),
            ({"retrys": 2}, "retrys", "did you mean retries?"),
        )
        for options, culprit, words in cases:
            with self.subTest(options), self.assertRaises(slipway.UserError) as raised:
                check_options('"f"', options)
            self.assertEqual((raised.exception.code, raised.exception.culprit), ("value-invalid", culprit))
            self.assertIn(words, str(raised.exception))

    def test_of_a_whole_program_are_fewer(self) -> None:
        for name, value in {"keep": True, "version": "1", "fresh": True, "max_calls": 1, "keep_warm": "5m"}.items():
            with self.subTest(name), self.assertRaises(slipway.UserError) as raised:
                slipway.run_in_image(**{name: value})  # type: ignore[arg-type]
            self.assertEqual((raised.exception.code, raised.exception.culprit), ("value-invalid", name))

    def test_have_durations_as_jobs_have_them(self) -> None:
        given = {"90s": 90, "1h30m": 5400, "2d": 172_800, 7: 7}
        self.assertEqual([seconds(each) for each in given], list(given.values()))

    def test_are_checked_where_a_function_is_defined(self) -> None:
        wrong: Dict[str, Any] = {"gpus": 1}
        with self.assertRaisesRegex(slipway.UserError, '^"g": resources.gpus is not a resource'):
            slipway.in_image(name="g", resources=wrong)(lambda: None)  # type: ignore[arg-type]

    def test_of_a_map_are_checked_where_it_is_asked_for(self) -> None:
        function = slipway.in_image(name="h")(lambda item: item)
        wrong: Any = {"paralelism": 2}, {"parallelism": 0}, {"parallelism": 2.5}, {"concurrency": 2}, {"setup": print}
        for options in wrong:
            for call in (function.map, function.stream):
                with self.assertRaises(slipway.UserError) as raised:
                    call([1], **options)
                self.assertEqual((raised.exception.code, raised.exception.culprit), ("value-invalid", *options))


if __name__ == "__main__":
    unittest.main()
