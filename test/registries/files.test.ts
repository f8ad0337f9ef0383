import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { failureWith } from "../../src/core/testdata/reported.ts";
import { givenAccess } from "../../src/functions/give-access.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { digestOfTag, fetchFile, storeFile } from "../../src/results/file.ts";
import { podRemote } from "../../src/sdk/pod-files.ts";
import { startDockerRegistry } from "./testdata/docker-registry.ts";
import { user } from "./testdata/suite.ts";
import { startTokenServer } from "./testdata/token-server.ts";

const run = promisify(execFile);
const text = "some content\n".repeat(100_000);
const content = { digest: sha256(text) as `sha256:${string}`, size: text.length };
const repository = "team/app";

describe.each(["none", "htpasswd", "token"] as const)("files in docker-registry, authentication: %s", (auth) => {
  it("are stored once, fetched whole, and missed by name", async () => {
    const folder = temporaryFolder();
    const tokens = auth === "token" ? await startTokenServer() : undefined;
    const host = await startDockerRegistry({ auth: tokens ?? (auth as "none") });
    const client = openRegistry(host, { findCredential: async () => user, settings: tokens?.settings ?? {} });
    onTestFinished(() => client.close());
    const place = { client, repository };
    const [source, target] = [join(folder, "source"), join(folder, "target")];
    writeFileSync(source, text);
    await expect(storeFile(place, content)).rejects.toThrow(failureWith("content-lost", content.digest));
    await storeFile(place, content, source);
    // It is there: nobody opens the file.
    await storeFile(place, content, join(folder, "nowhere"));
    await storeFile(place, { digest: sha256(""), size: 0 }, "/dev/null");
    expect((await client.listTags(repository)).map(digestOfTag).sort()).toEqual([content.digest, sha256("")].sort());
    await fetchFile(place, content, target);
    expect(readFileSync(target, "utf8")).toBe(text);
    const gone = { digest: sha256("gone"), size: 4 };
    await expect(fetchFile(place, gone, join(folder, "gone"))).rejects.toThrow(
      failureWith("content-lost", gone.digest),
    );
    expect(readdirSync(folder).sort()).toEqual(["source", "target"]);
  });
});

describe("what pods are given", () => {
  const settings = { context: "dev", podRegistry: "http://10.0.0.1:5000" };

  async function given(auth: Parameters<typeof startDockerRegistry>[0]["auth"], more: object = {}) {
    const home = temporaryFolder();
    const host = await startDockerRegistry({ auth });
    const env: Record<string, string> = { HOME: home, DOCKER_CONFIG: home };
    const auths = { [host]: { auth: Buffer.from("u:geheim").toString("base64") } };
    writeFileSync(join(home, "config.json"), JSON.stringify({ auths }));
    if (typeof auth === "object" && "settings" in auth) {
      const config = join(home, "config.yaml");
      env["SLIPWAY_CONFIG"] = config;
      // JSON is YAML.
      writeFileSync(config, JSON.stringify({ registries: { [host]: auth.settings } }));
    }
    const access = await givenAccess(`${host}/${repository}@${content.digest}`, { ...settings, ...more }, env);
    expect(JSON.stringify(access)).not.toMatch(/geheim|dTpnZWhlaW0/);
    return { access, place: { url: `http://10.0.0.1:5000/v2/${repository}/`, host } };
  }

  it("is a token of the registry for one repository, never the user's own credential", async () => {
    const tokens = await startTokenServer();
    const { access, place } = await given(tokens);
    expect(access.content).toMatchObject(place);
    expect(access.content.authorization?.startsWith(`Bearer ${tokens.tokenStart}`)).toBe(true);
    const left = Date.parse(access.content.expires ?? "") - Date.now();
    expect(left).toBeGreaterThan(240_000);
    expect(left).toBeLessThan(300_000);
    expect(tokens.asked.map(({ scopes }) => scopes)).toEqual([[`repository:${repository}:pull,push`]]);
  });

  it("is nothing but the address where the registry asks for nothing", async () => {
    const { access, place } = await given("none");
    expect(access).toEqual({ content: place });
  });

  it("is the Secret that the user named, or says that one is needed", async () => {
    const { access } = await given("htpasswd");
    expect(access.content.url).toBeUndefined();
    expect(access.content).toMatchObject({ problem: expect.stringContaining("gives no token for one repository") });
    expect(access.content.remedy).toContain("filesCredential: NAME");
    const { access: named, place } = await given("htpasswd", { filesCredential: "writer" });
    expect(named).toEqual({ content: place, credential: "writer" });
  });

  it("says that pods do not reach a loopback address, or that the registry does not answer", async () => {
    const { access } = await given("none", { podRegistry: undefined });
    expect(access.content.problem).toContain("is a loopback address");
    const nowhere = await givenAccess(`127.0.0.1:1/a@${content.digest}`, settings, { HOME: temporaryFolder() });
    expect(nowhere.content.problem).toBeDefined();
  });
});

/** Stores and fetches as a pod of either language does. */
const pods = {
  TypeScript: {
    store: (access: string, source: string) => podRemote(access).store?.(content, source) ?? Promise.reject(),
    fetch: (access: string, target: string) => podRemote(access).fetch(content, target),
  },
  Python: {
    store: (access: string, source: string) => python("store", access, source),
    fetch: (access: string, target: string) => python("fetch", access, target),
  },
};

/** @throws the error of the program, with its code and culprit */
async function python(action: string, access: string, path: string): Promise<void> {
  const program = [
    "import json, sys",
    "from slipway import _pod_files, Failure",
    "try: getattr(_pod_files.PodFiles(sys.argv[2]), sys.argv[1])(json.loads(sys.argv[4]), sys.argv[3])",
    "except Failure as error:",
    "  problem, remedy = str(error).split('\\n')",
    "  print(json.dumps({'code': error.code, 'culprit': error.culprit, 'problem': problem, 'remedy': remedy}))",
  ].join("\n");
  const env = { ...process.env, PYTHONPATH: "python" };
  const { stdout } = await run("python3", ["-c", program, action, access, path, JSON.stringify(content)], { env });
  if (stdout !== "") throw Object.assign(new Error(), { name: "Failure" }, JSON.parse(stdout));
}

describe.each(["TypeScript", "Python"] as const)("a pod whose function is in %s", (language) => {
  const { store, fetch } = pods[language];

  it("moves files with a token for one repository, and waits for a new one when it has expired", async () => {
    const folder = temporaryFolder();
    const tokens = await startTokenServer();
    const host = await startDockerRegistry({ auth: tokens });
    const access = join(folder, "access.json");
    const source = join(folder, "source");
    writeFileSync(source, text);
    const give = async (of = repository, expires: object = { expires: new Date().toISOString() }) => {
      const client = openRegistry(host, { findCredential: async () => user, settings: tokens.settings });
      const { authorization } = (await client.authorizePush(of)).headers;
      client.close();
      writeFileSync(access, JSON.stringify({ url: `http://${host}/v2/${repository}/`, authorization, ...expires }));
    };
    await give();
    expect(tokens.asked.at(-1)?.scopes).toEqual([`repository:${repository}:pull,push`]);
    await store(access, source);
    await fetch(access, join(folder, "target"));
    expect(readFileSync(join(folder, "target"), "utf8")).toBe(text);

    // A token for another repository is worth nothing here.
    await give("team/other", {});
    await expect(fetch(access, join(folder, "other"))).rejects.toThrow(failureWith("registry-login", host));
    // The registry grants a minute more than the token says.
    tokens.lifetime = -120;
    await give();
    tokens.lifetime = 300;
    const waiting = fetch(access, join(folder, "renewed"));
    await give();
    await waiting;
    expect(readFileSync(join(folder, "renewed"), "utf8")).toBe(text);
    expect(readdirSync(folder).sort()).toEqual(["access.json", "renewed", "source", "target"]);
  });

  it("moves files with the Secret that the user named", async () => {
    const folder = temporaryFolder();
    const host = await startDockerRegistry({ auth: "htpasswd" });
    const [access, source, target] = ["access.json", "source", "target"].map((name) => join(folder, name));
    writeFileSync(source as string, text);
    writeFileSync(access as string, JSON.stringify({ url: `http://${host}/v2/${repository}/` }));
    await expect(store(access as string, source as string)).rejects.toThrow(failureWith("registry-login", host));
    writeFileSync(join(folder, "username"), "u");
    writeFileSync(join(folder, "password"), "geheim\n");
    await store(access as string, source as string);
    await fetch(access as string, target as string);
    expect(readFileSync(target as string, "utf8")).toBe(text);
  });
});
