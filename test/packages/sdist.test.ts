import { expect, it } from "vitest";
import { built } from "./built.ts";
import { Environment, expectedImages } from "./python.ts";

it("the source distribution, built by pip and the setuptools that it fetches, tells a program its images", () => {
  const environment = new Environment(built("python/bazel_slipway-*.tar.gz"));
  expect(environment.images()).toEqual(expectedImages);
  const version = environment.python("from importlib.metadata import version; print(version('bazel-slipway'))");
  expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
}, 300_000);
