import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { defaultInstanceTypes } from "../config/instance-types.ts";
import type { UserError } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { expectMistakes } from "../jobs/testdata/corpus.ts";
import type { Service } from "./model.ts";
import { parseServices, readServices } from "./read.ts";
import { serviceJsonSchema } from "./schema.ts";
import { malformed } from "./testdata/corpus.ts";
import { fuzz } from "./testdata/fuzz.ts";

const types = Object.keys(defaultInstanceTypes);
const examples = join(import.meta.dirname, "../../examples/services");

/** Files in a folder of the test's own. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = folderOfTest();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function read(text: string, file = "svc.yaml"): Promise<Service[]> {
  const folder = folderWith({ [file]: text });
  return (await readServices({ path: join(folder, file), name: file }, types)).map(({ service }) => service);
}

/** The error for a text; undefined when it describes services. */
function errorOf(text: string): Promise<UserError | undefined> {
  return read(text).then(
    () => undefined,
    (error: UserError) => error,
  );
}

describe("a service that is malformed", () => {
  it("has a corpus", () => {
    expect(malformed.length).toBeGreaterThan(160);
    expect(malformed.filter(({ name, mistakes }) => !name || mistakes.length === 0)).toEqual([]);
    expect(new Set(malformed.map(({ name }) => name)).size).toBe(malformed.length);
  });

  it.each(malformed)("by $name", async (each) => {
    expectMistakes((await errorOf(each.text)) as UserError, "svc.yaml", each);
  });

  it("never shows a secret, wherever it stands", async () => {
    const secrets = malformed.filter(({ text }) => /hunter2|31337/.test(text));
    expect(secrets.length).toBeGreaterThan(25);
    for (const { text } of secrets) expect((await errorOf(text))?.message).not.toMatch(/hunter|31337/);
  });

  it("is said to be wrong, whatever it is, without a word of a password", () => {
    fuzz(300, 60);
  });

  it("may be as large and as deep as it likes", async () => {
    const keys = Array.from({ length: 15_000 }, (_, index) => `k${index}: 1\n`).join("");
    expect((await errorOf(keys))?.message).toContain("\n14991 more follow.");
    expect(await errorOf(`image: a\nport: 1\nmodels: [${"{id: a},".repeat(20_000)}]`)).toEqual(
      userErrorWith("field-invalid", "svc.yaml:3:9"),
    );
    expect(await errorOf("[".repeat(200_000))).toEqual(userErrorWith("file-invalid", /^svc\.yaml:1:/));
    for (const text of ["---\na: b\n".repeat(20_000), `# ${"x".repeat(1 << 18)}`])
      expect(await errorOf(text)).toEqual(userErrorWith("file-invalid", "svc.yaml"));
  });
});

describe("a spec of Gradient", () => {
  const fileWith = (more: string) => `image: a.io/b\nport: 80\n${more}\n`;

  it.each([
    ["integrations: [{type: volume}]", "svc.yaml:3:1", /slipway model push.*`models`.*`repositories`.*`dataset`/],
    [
      "resources: {instanceType: C4, autoscaling: {maxReplicas: 2, metrics: [{metric: requestDuration, value: 1}]}}",
      "svc.yaml:3:80",
      /write cpu with the value 80/,
    ],
  ])("has a remedy for %s", async (more, culprit, remedy) => {
    const error = await errorOf(fileWith(more));
    expect(error).toEqual(userErrorWith("field-invalid", culprit));
    expect(error?.remedy).toMatch(remedy);
  });

  it("has an image of the build with --image", async () => {
    const error = await errorOf("port: 80\nimage: :image\n");
    expect(error).toEqual(userErrorWith("field-invalid", "svc.yaml:2:8"));
    expect(error?.remedy).toContain("--image");
  });

  it("has a name with capitals and spaces, and the latest version", async () => {
    const found = await read(fileWith("name: My cool_deployment!\napiVersion: latest"));
    expect(found[0]?.name).toBe("my-cool-deployment");
    const twice = `${fileWith("name: My App")}---\n${fileWith("name: my-app")}`;
    await expect(read(twice)).rejects.toThrow(userErrorWith("field-invalid", "svc.yaml:7:7"));
  });

  it("may be JSON with comments", async () => {
    const text = `// http://a.io
{"image": "a.io//b", /* "port": 1,
*/ "port": 80, "command": ["/* \\" // */"],} // end`;
    const [service] = await read(text.replace("a.io//b", "a.io/b"), "My.jsonc");
    expect(service).toMatchObject({ name: "my", image: "a.io/b", ports: [80], command: ['/* " // */'] });
    const wrong = `/* a */ {"image": "a", // b\n/* c\n */ "port": "x"}`;
    await expect(read(wrong, "a.jsonc")).rejects.toThrow(userErrorWith("field-invalid", "a.jsonc:3:13"));
    await expect(read(`/* ${text}`, "a.jsonc")).rejects.toThrow(userErrorWith("file-invalid"));
  });
});

describe("a program's arguments and variables", () => {
  const longest = 128 * 1024 - 1;
  const fileWith = (more: object) => JSON.stringify({ image: "a", port: 1, ...more });

  it("are as long as Linux takes them", async () => {
    const env = [{ name: "A", value: "x".repeat(longest - 2) }];
    expect((await read(fileWith({ env })))[0]?.env).toEqual(env);
    await expect(read(fileWith({ env: [{ name: "AB", value: "x".repeat(longest - 2) }] }))).rejects.toThrow(
      /env\[0\]\.value .*131071 bytes/,
    );
    const command = ["x", "é".repeat(longest / 2 + 1)];
    await expect(read(fileWith({ command }))).rejects.toThrow(/command\[1\] .*131071 bytes/);
  });
});

describe("services in files", () => {
  const one = "image: a\nport: 1\n";

  it("are called as their files, unless they have names", async () => {
    expect((await read(one, "My_Service.2.yaml"))[0]?.name).toBe("my-service-2");
    expect((await read(`${one}name: other\n`))[0]?.name).toBe("other");
    await expect(read(one, "2.yaml")).rejects.toThrow(userErrorWith("field-invalid", "2.yaml:1:1"));
  });

  it("may be several in one, with empty documents between", async () => {
    const services = await read(`---\n${one}name: a\n---\n---\n# none\n---\n${one}name: b\n---\n`);
    expect(services.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("are all of a folder's, in the order of their names", async () => {
    const folder = folderWith({
      "b.yaml": one,
      "a.json": JSON.stringify({ image: "a", port: 1 }),
      "c.yml": one,
      "d.jsonc": `{"image": "a", "port": 1} // last`,
      "README.md": "no",
    });
    mkdirSync(join(folder, "e.d"));
    const names = (await readServices({ path: folder, name: "folder" }, types)).map(({ service }) => service.name);
    expect(names).toEqual(["a", "b", "c", "d"]);
    writeFileSync(join(folder, "c.yml"), `${one}name: a\n`);
    const refused = expect(readServices({ path: folder, name: "folder" }, types)).rejects;
    await refused.toThrow(userErrorWith("field-invalid", "folder/c.yml:3:7"));
    await refused.toThrow("folder/a.json");
    await expect(readServices({ path: folderWith({}), name: "folder" }, types)).rejects.toThrow(
      userErrorWith("file-invalid", "folder"),
    );
  });

  it("must be there", async () => {
    await expect(readServices({ path: "/nonexistent/a.yaml", name: "a.yaml" }, types)).rejects.toThrow(
      userErrorWith("file-unreadable", "a.yaml"),
    );
  });
});

describe("a service", () => {
  it("gets its defaults", async () => {
    expect(await read("image: a\nport: 1\n")).toEqual([
      { name: "svc", enabled: true, image: "a", ports: [1], env: [], models: [], replicas: 1, healthChecks: {} },
    ]);
    expect(await read("image: a\nport: 1\nmodels: [{id: m}]\n")).toMatchObject([
      { models: [{ id: "m", path: "/opt/models" }] },
    ]);
    const scaled = "image: a\nport: 1\nresources: {instanceType: C1, autoscaling: {maxReplicas: 3}}\n";
    expect(await read(scaled)).toMatchObject([
      { autoscaling: { maxReplicas: 3, metrics: [{ metric: "cpu", value: 80 }] } },
    ]);
    expect(
      Object.keys((await read(scaled.replace("maxReplicas", "enabled: false, maxReplicas")))[0] ?? {}),
    ).not.toContain("autoscaling");
  });

  it("is the same in both shapes", async () => {
    const [early] = await read("image: a\nport: 8080\nresources: {replicas: 2, instanceType: C4}\n");
    const [late] = await read(
      "apiVersion: v1\nname: svc\nenabled: true\nimage: a\nresources: {ports: [8080], replicas: 2, machineType: C4}\n",
    );
    expect(late).toEqual(early);
  });

  it("keeps the name of a password's secret", async () => {
    const [service] = await read(readFileSync(join(examples, "everything.yaml"), "utf8"));
    expect(service).toEqual({
      name: "svc",
      enabled: true,
      image: "lucone83/streamlit-nginx",
      containerRegistry: "container-registry-name",
      command: ["my", "command"],
      ports: [8080],
      env: [{ name: "ENV", value: "VAR" }],
      models: [{ id: "model-handle", path: "/opt/models" }],
      repositories: {
        dataset: "dataset-ref",
        mountPath: "/opt/repos",
        repositories: [
          {
            url: "https://github.com/tensorflow/serving.git",
            name: "tf-serving",
            username: "example",
            secret: "secret_name",
          },
        ],
      },
      replicas: 1,
      instanceType: "C4",
      healthChecks: {},
    });
  });
});

describe("the JSON Schema", () => {
  const accepts = new Ajv2020({ strict: true, allErrors: true }).compile(serviceJsonSchema());
  const agrees = (text: string) => accepts(parse(text) ?? null);

  it.each(readdirSync(examples).filter((name) => name.endsWith(".yaml")))(
    "accepts the example %s, as the loader does",
    async (name) => {
      const text = readFileSync(join(examples, name), "utf8");
      expect(agrees(text), JSON.stringify(accepts.errors)).toBe(true);
      expect(parseServices(text, name, types)).toHaveLength(1);
    },
  );

  const plain = malformed.filter(({ text, code }) => code === "field-invalid" && !text.includes("---"));

  it.each(plain)("and the loader are of one mind of $name", ({ name, text }) => {
    expect(agrees(text)).toBe(name.endsWith("(loader alone)"));
  });

  it("describes every field at the top", () => {
    const { properties } = serviceJsonSchema() as { properties: Record<string, { description?: string }> };
    expect(Object.values(properties).filter(({ description }) => !description)).toEqual([]);
  });
});
