import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parseAllDocuments } from "yaml";
import { serviceJsonSchema } from "../service/json-schema.ts";

/** The command line as a user has it, in a folder with files of the test's own. */
function service(files: Readonly<Record<string, string>>, ...args: string[]) {
  const home = mkdtempSync(join(tmpdir(), "slipway-service-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const main = join(import.meta.dirname, "main.ts");
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", main, "service", ...args],
    { cwd: home, env: { HOME: home, SLIPWAY_CONFIG: join(home, "config.yaml") }, encoding: "utf8" },
  );
  return { out: stdout, error: stderr, status };
}

const config = "services: {instanceTypes: {small: {cpu: 0.1, memory: 64MiB}}}\n";

it("prints the JSON Schema", () => {
  const { out, status } = service({}, "schema");
  expect(status).toBe(0);
  expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(serviceJsonSchema())));
});

it("renders a file, with the types of the configuration", () => {
  const files = { "config.yaml": config, "web.yaml": "image: a\nport: 80\nresources: {instanceType: small}\n" };
  const yaml = service(files, "render", "web.yaml");
  expect(yaml).toMatchObject({ status: 0, error: "" });
  const manifests = [...parseAllDocuments(yaml.out)].map((document) => document.toJS() as { kind: string });
  expect(manifests.map(({ kind }) => kind)).toEqual(["Service", "Deployment"]);
  expect(JSON.stringify(manifests)).toContain('"limits":{"cpu":"100m","memory":"67108864"}');
  expect(JSON.parse(service(files, "render", "--json", "web.yaml").out)).toEqual({
    apiVersion: "v1",
    kind: "List",
    items: manifests,
  });
});

it("refuses mistakes with status 2, and prints nothing else", () => {
  const files = { "config.yaml": config, "web.yaml": "image: a\nport: 80\nresources: {instanceType: smal}\n" };
  const { out, error, status } = service(files, "render", "web.yaml");
  expect({ out, status }).toEqual({ out: "", status: 2 });
  expect(error).toMatch(
    /^web\.yaml:3:27: resources\.instanceType is not an instance type \(did you mean small\?\)\.\n/,
  );
});

it("does not render half a service", () => {
  const repository = "{url: https://a.io/b, name: b, username: me, password: SECRET:token}";
  const web = `image: a
port: 80
models: [{id: m}]
repositories: {dataset: d, mountPath: /opt/repos, repositories: [${repository}]}
`;
  expect(service({ "config.yaml": config, "web.yaml": web }, "render", "web.yaml")).toEqual({
    out: "",
    error: `web.yaml:3:9: models cannot be brought into pods yet.
web.yaml:4:15: repositories cannot be brought into pods yet.
This version of Slipway checks these fields and brings nothing into containers: leave them out to see the rest.
`,
    status: 2,
  });
});
