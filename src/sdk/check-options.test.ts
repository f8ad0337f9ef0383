import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { CallOptions } from "./call-options.ts";
import { checkOptions, ofFunctions } from "./check-options.ts";

it("takes what jobs take, and gives memory in bytes", () => {
  const options = {
    tag: "gpu",
    env: { A: "b" },
    network: "host",
    resources: { cpu: 0.5, memory: "1GiB", gpu: 1 },
  } as const;
  expect(checkOptions('"f"', options)).toEqual({ ...options, resources: { cpu: 0.5, memory: 2 ** 30, gpu: 1 } });
  expect(checkOptions('"f"', { resources: { memory: 1000 } })).toEqual({ resources: { memory: 1000 } });
  const typed = { resources: { cpu: 2, instanceType: "big" } };
  expect(checkOptions('"f"', typed)).toEqual({ resources: { cpu: 2, instance_type: "big" } });
  expect(checkOptions('"f"', { retries: 3, timeLimit: "1h30m" })).toEqual({ retries: 3, timeLimit: 5400 });
  expect(checkOptions('"f"', { timeLimit: 90 })).toEqual({ timeLimit: 90 });
  expect(checkOptions('"f"', {})).toEqual({});
});

it.each([
  [{ resources: { cpus: 1 } }, "resources.cpus", "did you mean cpu?"],
  [{ resources: { gpus: 1 } }, "resources.gpus", "did you mean gpu?"],
  [{ resources: { memory: "1 apple" } }, "resources.memory", '"1 apple"'],
  [{ resources: { memory: 0.5 } }, "resources.memory", "512MiB"],
  [{ resources: { cpu: "1" } }, "resources.cpu", 'is "1"'],
  [{ resources: { cpu: Number.NaN } }, "resources.cpu", "is NaN"],
  [{ resources: { gpu: 0.5 } }, "resources.gpu", "a whole number from 0"],
  [{ resources: { instanceType: 4 } }, "resources.instanceType", "is 4, not a text"],
  [{ resources: { instance_type: "C4" } }, "resources.instance_type", "did you mean instanceType?"],
  [{ resources: "1GiB" }, "resources", "is not an object"],
  [{ network: "bridge" }, "network", '"bridge", neither none nor host'],
  [{ netwrok: "host" }, "netwrok", "did you mean network?"],
  [
    { toString: "host" },
    "toString",
    "Known here: tag, env, network, resources, volumes, retries, timeLimit, parallelism.",
  ],
  [{ env: { A: 1 } }, "env", "does not map names to texts"],
  [{ env: { A: "SECRET:not a name" } }, "env", "does not name a secret"],
  [{ retries: 101 }, "retries", "a whole number from 0 to 100"],
  [{ retries: 0.5 }, "retries", "is 0.5"],
  [{ timeLimit: "soon" }, "timeLimit", '"soon", which is not a duration'],
  [{ timeLimit: 0 }, "timeLimit", "90s, 1h30m"],
  [{ volumes: "/data" }, "volumes", "is not an object"],
  [{ volumes: { data: { claim: "a" } } }, "volumes.data", "is not an absolute path"],
  [{ volumes: { "/a": { claim: "a", writeable: true } } }, "volumes./a.writeable", "did you mean writable?"],
  [{ tag: 1 }, "tag", "is not a text"],
  [{ parallelism: 0 }, "parallelism", "1 or more"],
  [{ settled: true }, "settled", "is not an option"],
])("refuses %j", (options, culprit, words) => {
  const check = () => checkOptions('"f"', options as CallOptions, "parallelism");
  expect(check).toThrow(userErrorWith("value-invalid", culprit));
  expect(check).toThrow(words);
});

it.each(ofFunctions)("leaves %s to functions", (name) => {
  const given: object = { [name]: undefined };
  expect(() => checkOptions("runInImage", given)).toThrow(userErrorWith("value-invalid", name));
  expect(() => checkOptions('"f"', given, ...ofFunctions)).not.toThrow();
});
