import { expect, it } from "vitest";
import { volumeMistakes } from "./volumes.ts";

it("takes claims and folders", () => {
  const volumes = {
    "/data": { claim: "training-data" },
    "/out": { claim: "out.v2", writable: true },
    "/var/cache/x": { folder: "../cache", writable: false },
    "/home/me": { folder: "/home/me" },
  };
  expect(volumeMistakes(volumes)).toEqual([]);
});

// Python has the same cases: python/tests/options_test.py.
it.each([
  [{ data: { claim: "a" } }, ["data"], "is not an absolute path"],
  [{ "/a/../b": { claim: "a" } }, ["/a/../b"], "is not the plain path of a folder"],
  [{ "/a/": { claim: "a" } }, ["/a/"], "is not the plain path of a folder"],
  [{ "/a:b": { claim: "a" } }, ["/a:b"], "is not the plain path of a folder"],
  [{ "/": { claim: "a" } }, ["/"], "is a folder that containers have already"],
  [{ "/tmp": { claim: "a" } }, ["/tmp"], "is a folder that containers have already"],
  [{ "/slipway/input": { claim: "a" } }, ["/slipway/input"], "is a folder that containers have already"],
  [{ "/a": { claim: "a" }, "/a/b": { claim: "b" } }, ["/a/b"], "is inside /a"],
  [{ "/a": "data" }, ["/a"], "is not a volume"],
  [{ "/a": {} }, ["/a"], "names neither a claim nor a folder"],
  [{ "/a": { claim: "a", folder: "b" } }, ["/a"], "is a claim and a folder at once"],
  [{ "/a": { claim: "A" } }, ["/a", "claim"], "is not the name of a claim"],
  [{ "/a": { claim: "--help" } }, ["/a", "claim"], "is not the name of a claim"],
  [{ "/a": { folder: "" } }, ["/a", "folder"], "is not a path"],
  [{ "/a": { claim: "a", readonly: true } }, ["/a", "readonly"], "is not a field of a volume"],
  [{ "/a": { claim: "a", writable: "yes" } }, ["/a", "writable"], "is neither true nor false"],
])("refuses %j", (volumes, path, problem) => {
  expect(volumeMistakes(volumes)).toMatchObject([{ path, problem }]);
});
