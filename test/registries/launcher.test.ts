import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ended, Target } from "../../src/launch/testdata/target.ts";
import { privateAuthority } from "./testdata/certificates.ts";
import { connectProxy } from "./testdata/connect-proxy.ts";
import { startDockerRegistry } from "./testdata/docker-registry.ts";
import { proxyTo } from "./testdata/proxy.ts";
import { startTokenServer } from "./testdata/token-server.ts";

/** As Bazel builds it, with the files beside it. */
const bundle = join(import.meta.dirname, "../../src/launcher.cjs");

/** Starts the bundled launcher, if Bazel has built it: only it can read a configuration file. */
function launch(target: Target, options: readonly string[], env: Record<string, string> = {}) {
  const [node, ...args] = target.command([...options]);
  const bundled = args.map((arg) => (arg.endsWith("launch/main.ts") && existsSync(bundle) ? bundle : arg));
  const child = spawn(node, bundled, { env: { ...target.env, ...env }, cwd: target.runfiles });
  onTestFinished(() => void child.kill("SIGKILL"));
  return ended(child);
}

/**
 * A registry with TLS and passwords, behind a proxy, that nobody here knows but by the proxy, and a target to push to
 * it.
 */
async function start() {
  const authority = privateAuthority();
  const tls = authority.issue("registry.example");
  const host = await startDockerRegistry({ auth: "htpasswd", tls: { ...tls, clientAuthority: authority.certificate } });
  const proxy = await connectProxy(host);
  const target = new Target("push");
  target.request.defaultRegistry = "registry.example";
  const digest = target.image({ layers: ["x", "y"] });
  const file = (path: string, text: string | Buffer): void => {
    mkdirSync(join(target.folder, path, ".."), { recursive: true });
    writeFileSync(join(target.folder, path), text);
  };
  const auth = Buffer.from("u:geheim").toString("base64");
  file(".docker/config.json", JSON.stringify({ auths: { "registry.example": { auth } } }));
  const run = (env: Record<string, string> = {}) => launch(target, [], { HTTPS_PROXY: proxy.url, ...env });
  return { authority, mine: authority.issue("me"), file, run, proxy, stdout: `registry.example/team/app@${digest}\n` };
}

it("a launcher trusts whom podman's folder names, shows the certificate there, and asks once when nothing changed", async () => {
  const { authority, mine, file, run, proxy, stdout } = await start();
  const untrusted = await run();
  expect(untrusted).toMatchObject({ status: 2, stdout: "" });
  expect(untrusted.stderr).toMatch(/^slipway: The certificate of registry registry\.example is not trusted \(/);
  const folder = ".config/containers/certs.d/registry.example";
  file(`${folder}/ca.crt`, authority.pem);
  const unknown = await run();
  expect(unknown).toMatchObject({ status: 2, stdout: "" });
  expect(unknown.stderr).toMatch(/client certificate.* \[registry-tls\]/);
  file(`${folder}/client.cert`, readFileSync(mine.certificate));
  file(`${folder}/client.key`, readFileSync(mine.key));
  expect(await run()).toMatchObject({ status: 0, stdout });
  proxy.asked.length = 0;
  expect(await run()).toEqual({ status: 0, stdout, stderr: "" });
  expect(proxy.asked.length).toBe(1);
});

it("a launcher trusts whom the machine's administrator trusts", async () => {
  const { authority, mine, file, run, stdout } = await start();
  const folder = ".config/containers/certs.d/registry.example";
  file(`${folder}/client.cert`, readFileSync(mine.certificate));
  file(`${folder}/client.key`, readFileSync(mine.key));
  // OpenSSL's variable for where the machine keeps its authorities.
  expect(await run({ SSL_CERT_FILE: authority.certificate })).toMatchObject({ status: 0, stdout });
});

it.runIf(existsSync(bundle))("a launcher reads the configuration file, and says what is wrong in it", async () => {
  const { authority, mine, file, run, stdout } = await start();
  const config = ".config/slipway/config.yaml";
  file(".config/slipway/ca.pem", authority.pem);
  file(
    config,
    `registries:\n  registry.example:\n    ca: ca.pem\n    certificate: ${mine.certificate}\n    key: ${mine.key}\n`,
  );
  expect(await run()).toMatchObject({ status: 0, stdout });
  file(config, "registries:\n  registry.example:\n    caFile: ca.pem\n");
  const wrong = await run();
  expect(wrong).toMatchObject({ status: 2, stdout: "" });
  expect(wrong.stderr).toMatch(
    /^slipway: .*config\.yaml:3:5: registries\.registry\.example\.caFile is not a setting of a registry\.\n/,
  );
});

describe("a push of nothing new under three tags, by a launcher that was just started, is", () => {
  /** What goes over the wire the second time, in any order. */
  async function secondPush(
    registry: string,
    settings?: object,
  ): Promise<{ requests: string[]; stderr: string; kept: string[] }> {
    const proxy = await proxyTo(registry);
    const target = new Target("push");
    target.request.defaultRegistry = proxy.host;
    target.image({ layers: ["x", "y"] });
    const login = { auths: { [proxy.host]: { auth: Buffer.from("u:geheim").toString("base64") } } };
    mkdirSync(join(target.folder, ".docker"));
    writeFileSync(join(target.folder, ".docker/config.json"), JSON.stringify(login));
    const config = join(target.folder, "config.yaml");
    // JSON is YAML.
    if (settings) writeFileSync(config, JSON.stringify({ registries: { [proxy.host]: settings } }));
    const env = settings ? { SLIPWAY_CONFIG: config } : {};
    const push = () => launch(target, ["--tag", "a", "--tag", "b", "--tag", "c"], env);
    expect(await push()).toMatchObject({ status: 0 });
    proxy.requests.length = 0;
    const { status, stderr } = await push();
    expect(status).toBe(0);
    const challenges = join(target.folder, ".local/state/slipway/challenges");
    const kept = existsSync(challenges)
      ? readdirSync(challenges).map((name) => readFileSync(join(challenges, name), "utf8"))
      : [];
    return { requests: proxy.requests.sort(), stderr, kept };
  }
  const onePerTag = ["a", "b", "c"].map((tag) => `HEAD /v2/team/app/manifests/${tag}`);

  it("one request per tag to a registry that asks nobody", async () => {
    const { requests, stderr } = await secondPush(await startDockerRegistry({ auth: "none" }));
    expect(requests).toEqual(onePerTag);
    expect(stderr).toBe("");
  });

  it("one request per tag to a registry with passwords", async () => {
    const { requests, kept } = await secondPush(await startDockerRegistry({ auth: "htpasswd" }));
    expect(requests).toEqual(onePerTag);
    expect(kept).toEqual(['{"scheme":"basic","parameters":{}}']);
  });

  it.runIf(existsSync(bundle))(
    "one for a token and one per tag to a registry with a token service, since no token is kept",
    async () => {
      const tokens = await startTokenServer();
      const registry = await startDockerRegistry({ auth: tokens });
      const { requests, kept } = await secondPush(registry, tokens.settings);
      expect(requests).toEqual(onePerTag);
      // The push before asked for one to read and one to write, this one for one that does both.
      expect(tokens.asked.map(({ scopes }) => scopes.join(" "))).toEqual([
        "repository:team/app:pull",
        "repository:team/app:pull,push",
        "repository:team/app:pull,push",
      ]);
      expect(kept).toEqual([
        JSON.stringify({ scheme: "bearer", parameters: { realm: tokens.realm, service: "test registry" } }),
      ]);
    },
  );
});
