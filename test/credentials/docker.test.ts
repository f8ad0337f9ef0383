import { join } from "node:path";
import { expect, it } from "vitest";
import { makeImage } from "./testdata/image.ts";
import { Installed } from "./testdata/installed.ts";
import { password, startGuardedRegistry } from "./testdata/registry.ts";

const user = new Installed([password]);
const registry = await startGuardedRegistry(user);

it("docker's client gets a manifest with Slipway's credential, and shows the secret nowhere", async () => {
  const image = `${registry}/team/app:v1`;
  const passwords = user.write("two lines.txt", `u\n${password}\n`);
  // Docker looks for its configuration by HOME, its helpers by PATH.
  user.write(".docker/config.json", JSON.stringify({ credsStore: "slipway" }));
  const inspect = () => user.run("docker", ["manifest", "inspect", "--insecure", image]);
  expect((await inspect()).status).not.toBe(0);

  const added = await user.slipway("credentials", "add", "--service", "docker", "--url", registry, "--file", passwords);
  expect(added).toMatchObject({ status: 0 });
  const { layer } = makeImage(join(user.folder, "layout"));
  const copy = ["copy", "--dest-tls-verify=false"];
  user.env["CONTAINERS_REGISTRIES_CONF"] = user.write(
    ".config/containers/registries.conf",
    'credential-helpers = ["slipway"]\n',
  );
  user.write(".config/containers/policy.json", JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
  const pushed = await user.run("skopeo", [...copy, `oci:${join(user.folder, "layout")}:v1`, `docker://${image}`]);
  expect(pushed, pushed.stderr).toMatchObject({ status: 0 });

  const inspected = await inspect();
  expect(inspected, inspected.stderr).toMatchObject({ status: 0 });
  expect(inspected.stdout).toContain(layer.digest);
  expect(user.watch.findings([passwords])).toEqual([]);
});
