import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { privateAuthority } from "../registries/testdata/certificates.ts";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";
import { makeImage } from "./testdata/image.ts";
import { Installed } from "./testdata/installed.ts";
import { htpasswd, password } from "./testdata/registry.ts";

// Each test fills an image store by copying.
vi.setConfig({ testTimeout: 300_000 });

const user = new Installed([password]);
const layout = join(user.folder, "layout");
const { manifest } = makeImage(layout, ["/bin/echo"]);
const passwords = user.write("two lines.txt", `u\n${password}\n`);

/** podman with an empty image store, which no login and no certificate was ever given to. */
beforeEach(() => {
  const store = join(user.folder, `store-${Date.now()}`);
  user.env["CONTAINERS_STORAGE_CONF"] = user.write(
    ".config/containers/storage.conf",
    `[storage]\ndriver = "vfs"\ngraphroot = "${store}/graph"\nrunroot = "${store}/run"\n`,
  );
  user.write(".config/containers/policy.json", JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
  onTestFinished(() => void rmSync(store, { recursive: true, force: true }));
});

async function push(registry: string, ...options: string[]): Promise<void> {
  const to = `docker://${registry}/team/app:v1`;
  const pushed = await user.run("skopeo", ["copy", ...options, `oci:${layout}:v1`, to], {
    env: { DOCKER_CONFIG: user.folder },
  });
  expect(pushed, pushed.stderr).toMatchObject({ status: 0 });
}

/** Runs a job in a container, and gives what it did. */
function job(registry: string) {
  const interpreter = { ContainerAtDigest: { repository: `${registry}/team/app`, digest: manifest.digest } };
  const file = user.write("job.json", JSON.stringify({ interpreter, command: ["hello"] }));
  return user.slipway("job", "run", "--engine", "container", file);
}

const login = (registry: string, ...source: string[]) =>
  user.slipway("credentials", "add", "--service", "docker", "--url", registry, ...source);

describe("podman with an empty image store", () => {
  it("pulls with the credential that only Slipway has", async () => {
    const registry = await startDockerRegistry({ auth: { htpasswd } });
    await push(registry, "--dest-tls-verify=false", `--dest-authfile=${user.write("auth.json", authFile(registry))}`);
    const refused = await job(registry);
    expect(refused.status).toBe(127);
    expect(refused.stderr).toContain("slipway credentials add");

    expect(await login(registry, "--file", passwords)).toMatchObject({ status: 0 });
    const ran = await job(registry);
    expect(ran, ran.stderr).toMatchObject({ status: 0, stdout: "hello\n" });
    expect(readdirSync(user.env["TMPDIR"] as string).filter((name) => name.startsWith("slipway-run-"))).toEqual([]);
  });

  it("names the credential that the registry refused", async () => {
    const registry = await startDockerRegistry({ auth: { htpasswd } });
    const wrong = user.write("wrong.txt", "u\nfalsch\n");
    await login(registry, "--file", wrong);
    const refused = await job(registry);
    expect(refused).toMatchObject({ status: 127, stderr: expect.stringContaining(wrong) });
    expect(refused.stderr).not.toContain("falsch");
  });

  it("pulls the image of a service with it", async () => {
    const registry = await startDockerRegistry({ auth: { htpasswd } });
    await push(registry, "--dest-tls-verify=false", `--dest-authfile=${user.write("auth.json", authFile(registry))}`);
    await login(registry, "--file", passwords);
    const image = `${registry}/team/app@${manifest.digest}`;
    // A program that ends at once is never ready, but its image is there.
    const file = user.write("service.yaml", JSON.stringify({ name: "pulled", image, port: 8080 }));
    const applied = await user.slipway("service", "apply", "--engine", "container", file);
    expect(await user.run("podman", ["image", "exists", image]), applied.stderr).toMatchObject({ status: 0 });
    expect(await user.slipway("service", "delete", "--engine", "container", file)).toMatchObject({ status: 0 });
  });

  it("pulls with the authority and the client certificate of the configuration file", async () => {
    const authority = privateAuthority();
    const tls = { ...authority.issue("localhost"), clientAuthority: authority.certificate };
    const registry = await startDockerRegistry({ auth: "none", tls });
    const client = authority.issue("client");
    user.write("certificates/ca.crt", authority.pem);
    user.write("certificates/client.cert", readFileSync(client.certificate, "utf8"));
    user.write("certificates/client.key", readFileSync(client.key, "utf8"));
    await push(registry, `--dest-cert-dir=${join(user.env["HOME"] as string, "certificates")}`);
    expect(await job(registry)).toMatchObject({ status: 127 });

    const settings = { ca: authority.certificate, ...client };
    const config = user.write(".config/slipway/config.yaml", JSON.stringify({ registries: { [registry]: settings } }));
    onTestFinished(() => rmSync(config));
    const ran = await job(registry);
    expect(ran, ran.stderr).toMatchObject({ status: 0, stdout: "hello\n" });
  });
});

user.keepsSecrets("two lines.txt", "auth.json");

function authFile(registry: string): string {
  return JSON.stringify({ auths: { [registry]: { auth: btoa(`u:${password}`) } } });
}
