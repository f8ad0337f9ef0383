import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { serviceEngine } from "./open-engine.ts";

it("is Kubernetes where this user has a cluster or names one, else what containers there are", () => {
  const home = folderOfTest();
  writeFileSync(join(home, "podman"), "#!/bin/sh\n", { mode: 0o755 });
  // A podman that is reached by a socket is one for any user.
  const env = { PATH: home, HOME: home, CONTAINER_HOST: "unix:///nothing" };
  expect(serviceEngine(undefined, env)).toBe("container");
  expect(serviceEngine(undefined, { ...env, PATH: "" })).toBe("kubernetes");
  // A mistake in it must not start services here.
  expect(serviceEngine(undefined, { ...env, KUBECONFIG: join(home, "nothing") })).toBe("kubernetes");
  expect(serviceEngine("container", { ...env, KUBECONFIG: join(home, "nothing") })).toBe("container");
  mkdirSync(join(home, ".kube"));
  writeFileSync(join(home, ".kube/config"), "");
  expect(serviceEngine(undefined, env)).toBe("kubernetes");
});
