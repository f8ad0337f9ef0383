import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { fetchManifest } from "../../src/registry/client/fetch-manifest.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { openByName } from "../../src/registry/open-by-name.ts";
import { readSigningKey } from "../../src/signatures/keys.ts";
import { signImage } from "../../src/signatures/sign.ts";
import { startCraneRegistry } from "../registries/testdata/crane-registry.ts";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";
import { proxyTo } from "../registries/testdata/proxy.ts";
import { pushBase } from "./base.ts";
import { ofApi, Registry } from "./registry.ts";
import { command, fetchedBytes, moduleOf, scratchFolder, Workspace } from "./workspace.ts";

const workspace = new Workspace("pulled-base", join(scratchFolder(), "pulled-base"));
const embedded = new Registry(workspace);

afterAll(() => embedded.stop());

/** A workspace with a pipeline on a base, and the declaration of that base. */
function declare(image: string, more = "", base = "@base//image"): void {
  workspace.write({
    "MODULE.bazel": moduleOf(
      "team",
      `base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
base_images.pull(name = "base", image = "${image}", ${more})
use_repo(base_images, "base")
`,
    ),
    "BUILD.bazel": "",
    "app/BUILD.bazel": `
load("@slipway//bazel:defs.bzl", "pipeline")
pipeline(name = "main", base = ${JSON.stringify(base)})
`,
    "app/main.ts": 'console.log("hello");\n',
  });
}

describe.each([
  ["docker-registry", () => startDockerRegistry({ auth: "none" })],
  ["crane's registry", () => startCraneRegistry()],
])("a base in %s", (_, start) => {
  it("is built on without its layers, streamed to another registry, mounted in its own, and pulled back by skopeo", async () => {
    const source = await proxyTo(await start());
    const target = await startDockerRegistry({ auth: "none" });
    const client = openRegistry(source.host);
    const base = await pushBase(client, "bases/team");
    client.close();

    declare(`${source.host}/bases/team:v1`);
    const untold = await workspace.bazel(["build", "//app:main"]);
    expect(untold.stderr).toMatch(new RegExp(`tag v1 .*digest = "${base.digest}",[\\s\\S]*\\[image-unpinned\\]`));
    expect(untold.status).not.toBe(0);

    declare(`${source.host}/bases/team:v1`, `digest = "${base.digest}"`);
    source.requests.length = 0;
    await workspace.stdout(["build", "//app:main"]);
    expect(source.requests.filter((each) => each.includes("/manifests/"))).toHaveLength(3);
    expect(source.requests.filter((each) => each.includes("/blobs/"))).toHaveLength(2);
    expect(source.requests.filter((each) => each.endsWith(base.layer))).toEqual([]);
    expect(fetchedBytes(workspace)).toBeLessThan(50_000);

    const layout = await workspace.bazel(["build", "//app:main_image", "--output_groups=oci_layout"]);
    expect(layout.stderr).toMatch(`Layer ${base.layer} of `);
    expect(layout.stderr).toContain("[image-unsuitable]");

    const streamed = await workspace.bazel(["run", "//app:main_push", "--", "--registry", target]);
    expect(streamed.stderr).toContain("1 streamed (3.0 MB)");
    expect(source.requests.filter((each) => each.endsWith(base.layer))).toEqual([
      `GET /v2/bases/team/blobs/${base.layer}`,
    ]);

    const mounted = await workspace.bazel(["run", "//app:main_push", "--", "--registry", source.host]);
    // A registry may have one store for all repositories.
    expect(mounted.stderr).toMatch(/1 mounted|there already/);
    expect(mounted.stderr).not.toContain("streamed");

    for (const host of [target, source.host]) {
      const copy = ["skopeo", "copy", "--src-tls-verify=false", `docker://${host}/app:main_default`];
      expect(await command([...copy, `dir:${temporaryFolder()}`], workspace.env)).toMatchObject({ status: 0 });
    }
  });
});

describe("a base in a registry with passwords", () => {
  it("is pulled and streamed as whoever logged in, and refused to anybody else by name", async () => {
    const source = await startDockerRegistry({ auth: "htpasswd" });
    const target = await startDockerRegistry({ auth: "none" });
    const auths = { [source]: { auth: Buffer.from("u:geheim").toString("base64") } };
    const logins = workspace.env["DOCKER_CONFIG"] ?? "";
    mkdirSync(logins, { recursive: true });
    writeFileSync(join(logins, "config.json"), JSON.stringify({ auths }));
    const client = await openByName(source, workspace.env);
    const { digest } = await pushBase(client, "bases/secret");
    client.close();
    declare(`${source}/bases/secret`, `digest = "${digest}"`);

    const anybody = await workspace.bazel(["build", "//app:main"], { env: { DOCKER_CONFIG: "/absent" } });
    expect(anybody.status).not.toBe(0);
    expect(anybody.stderr).toMatch(new RegExp(`base image base: .*${source} .*401[\\s\\S]*\\[registry-login\\]`));
    expect(anybody.stderr).toContain(`docker login ${source}`);

    const somebody = await workspace.bazel(["run", "//app:main_push", "--", "--registry", target]);
    expect(somebody.stderr).toContain("1 streamed (3.0 MB)");
    expect(anybody.stderr + somebody.stderr + somebody.stdout).not.toMatch(/geheim|dTpnZWhlaW0/);
    const kept = ["grep", "-rlE", "geheim|dTpnZWhlaW0", join(workspace.outputBase, "external"), workspace.folder];
    expect((await command(kept, workspace.env)).stdout).toBe("");
  });
});

describe("a base in the embedded registry", () => {
  beforeAll(async () => {
    declare("ubuntu:24.04");
    const args = ["run", "@slipway//:slipway", "--", "registry", "token", "bases/team", "--push"];
    await workspace.stdout(args);
  });

  it("is built on without its layers and mounted, and chosen by platform", async () => {
    const { host } = await embedded.status();
    const client = await openByName(host, workspace.env);
    const base = await pushBase(client, "bases/team");
    client.close();
    declare(`${host}/bases/team`, `digest = "${base.digest}"`);
    const fetching = await embedded.requestsDuring(() => workspace.stdout(["build", "//app:main"]));
    expect(ofApi(fetching)).toHaveLength(5);
    expect(ofApi(fetching).join()).not.toContain(base.layer);
    const pushing = await embedded.requestsDuring(() => workspace.stdout(["run", "//app:main_push"]));
    expect(pushing.reduce((sum, { received }) => sum + received, 0)).toBeGreaterThan(0);
    expect(ofApi(pushing).join()).not.toContain(`GET /v2/bases/team/blobs/${base.layer}`);
    await embedded.verify("app", "main_default");

    for (const platform of ["linux_arm64", "linux_amd64"]) {
      const query = ["cquery", "--output=files", "@base//image", `--platforms=@slipway//bazel/platforms:${platform}`];
      expect(await workspace.stdout(query)).toContain(`${platform}/config.json`);
    }
  });

  it("is only pulled with the signature that `verify` demands", async () => {
    const { host } = await embedded.status();
    const client = await openByName(host, workspace.env);
    onTestFinished(() => client.close());
    const { digest } = await pushBase(client, "bases/signed");
    const { descriptor } = await fetchManifest(client, "bases/signed", digest);
    const sign = async ({ privateKey }: KeyPairKeyObjectResult) => {
      const pem = privateKey.export({ format: "pem", type: "pkcs8" }) as string;
      await signImage(client, "bases/signed", descriptor, await readSigningKey("env://KEY", { KEY: pem }));
    };
    const [right, wrong] = [1, 2].map(() => generateKeyPairSync("ec", { namedCurve: "P-256" }));
    declare(`${host}/bases/signed`, `digest = "${digest}", verify = "//:my.pub"`);
    workspace.write({ "my.pub": right?.publicKey.export({ format: "pem", type: "spki" }) as string });
    const build = () => workspace.bazel(["build", "//app:main"]);
    const refused = { status: expect.toSatisfy((status) => status !== 0) };

    const named = (code: string) => expect.stringMatching(new RegExp(`bases/signed@${digest} [^]*\\[${code}\\]`));
    expect(await build()).toMatchObject({ ...refused, stderr: named("signature-missing") });
    await sign(wrong as KeyPairKeyObjectResult);
    expect(await build()).toMatchObject({ ...refused, stderr: named("signature-invalid") });
    await sign(right as KeyPairKeyObjectResult);
    expect(await build()).toMatchObject({ status: 0 });
    // Another key is asked for anew.
    workspace.write({
      "my.pub": generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
        format: "pem",
        type: "spki",
      }) as string,
    });
    expect(await build()).toMatchObject({ ...refused, stderr: named("signature-invalid") });
  });

  it("has no image for a platform that its declaration leaves out, and says so", async () => {
    const { host } = await embedded.status();
    const client = await openByName(host, workspace.env);
    const { digest } = await pushBase(client, "bases/other");
    client.close();
    declare(`${host}/bases/other`, `digest = "${digest}", platforms = ["linux/s390x"]`);
    const { stderr } = await workspace.bazel(["build", "//app:main"]);
    expect(stderr).toMatch(new RegExp(`base image base: .*${digest} .*linux/s390x`));
    expect(stderr).toMatch(/`platforms`.*linux\/amd64, linux\/arm64.* \[image-unsuitable\]/);
  });
});

describe("the reference of an image in place of a base", () => {
  it.each([
    ["ubuntu:20.04", "ubuntu", 'image = "ubuntu:20.04"'],
    ["uri://to/my/base/image", "image", 'image = "to/my/base/image"'],
    ["registry.example.com/team/base-image", "base_image", 'image = "registry.example.com/team/base-image"'],
  ])("%s is refused with the declaration to paste", async (base, name, line) => {
    declare("ubuntu:24.04", "", base);
    const { stderr, status } = await workspace.bazel(["build", "//app:main"]);
    expect(status).not.toBe(0);
    expect(stderr).toContain(`\`base\` is the image reference "${base}", but it must be a target.`);
    expect(stderr).toContain(`write base = "@${name}//image"`);
    expect(stderr).toContain(line);
  });

  it.each(["", ', platforms = ["@slipway//bazel/platforms:linux_arm64"]'])(
    "is refused for an image alone%s",
    async (more) => {
      declare("ubuntu:24.04");
      const load = 'load("@slipway//bazel:defs.bzl", "image")\n';
      workspace.write({ "alone/BUILD.bazel": `${load}image(name = "it", base = "ubuntu:20.04@sha256:0"${more})\n` });
      const { stderr, status } = await workspace.bazel(["build", "//alone:it"]);
      expect(status).not.toBe(0);
      expect(stderr).toMatch(
        /image @?@?\/\/alone:it: `base` is the image reference "ubuntu:20.04@sha256:0", but it must be a target\./,
      );
      expect(stderr).toContain('write base = "@ubuntu//image"');
      expect(stderr).toMatch(/image = "ubuntu:20.04",\n +digest = "sha256:0",/);
    },
  );
});
