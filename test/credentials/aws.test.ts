import { beforeAll, describe, expect, it } from "vitest";
import { Installed } from "./testdata/installed.ts";
import { Moto } from "./testdata/moto.ts";

const region = "eu-central-1";
const registry = "registry.example.com";
const secret = "ein-sehr-geheimes-wort";
const user = new Installed([secret]);
let moto: Moto;

beforeAll(async () => {
  moto = await Moto.start(user.daemons);
  await moto.createSecret(region, "team/registry", JSON.stringify({ username: "u", password: secret }));
  await moto.createSecret(region, "team/nothing", JSON.stringify({ user: "u", password: secret }));
  await moto.createSecret(region, "team/text", `u\n${secret}`);
  await moto.createSecret(region, "team/list", JSON.stringify([secret]));
  await moto.createSecret(region, "team/number", JSON.stringify({ username: "u", password: 7 }));
  await moto.createSecret(region, "team/key", JSON.stringify({ private_key: `no key: ${secret}` }));
  Object.assign(user.env, moto.env(region));
});

async function add(name: string, ...more: string[]): Promise<void> {
  const args = ["credentials", "add", "--service", "docker", "--url", registry, "--aws-secret", name, ...more];
  expect(await user.slipway(...args)).toMatchObject({ status: 0, stdout: "" });
}

/** What the helper says to docker, which shows a failing helper's stdout. */
function get(env: object = {}) {
  return user.ask("docker-credential-slipway", "get", registry, env);
}

describe("AWS Secrets Manager", () => {
  it("gives a user name and a password, in the region that is configured or given", async () => {
    await add("team/registry");
    const expected = { ServerURL: registry, Username: "u", Secret: secret };
    expect(JSON.parse((await get()).stdout)).toEqual(expected);
    await add("team/registry", "--region", region);
    expect(JSON.parse((await get({ AWS_REGION: "us-east-1" })).stdout)).toEqual(expected);
  });

  it("explains, with the secret's name and not what it holds", async () => {
    await add("team/registry");
    const explained = await user.slipway("credentials", "explain", `${registry}/team/app`);
    expect(explained).toMatchObject({ status: 0, stderr: "" });
    expect(explained.stdout).toMatch(
      /^used +AWS secret team\/registry \(for docker registry\.example\.com\): .*whole host/,
    );
    expect(explained.stdout).toMatch(/\nA password of u, from AWS secret team\/registry /);
    const asJson = await user.slipway("credentials", "explain", "--json", registry);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ kind: "password", username: "u" });
  });

  const nobody = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
  it.each<[string, string, RegExp, object?, ...string[]]>([
    ["the region is wrong", "registry", /in us-west-2 .*in region us-west-2/, {}, "--region", "us-west-2"],
    ["there is no such secret", "other", /team\/other .*does not exist in region eu-central-1/],
    ["a key is missing", "nothing", /has no "username" that is a text/],
    ["a password is no text", "number", /has no "password" that is a text/],
    ["the secret is no JSON", "text", /is not JSON/],
    ["the secret is no object", "list", /is not a JSON object/],
    ["there is no region", "registry", /no AWS region is known/, { AWS_REGION: undefined }],
    ["there are no AWS credentials", "registry", /no AWS credentials were found/, nobody],
    ["AWS does not answer", "registry", /not answer .*ECONNREFUSED/, { AWS_ENDPOINT_URL: "http://127.0.0.1:1" }],
  ])("says so when %s", async (_, short, problem, env = {}, ...more) => {
    const name = `team/${short}`;
    await add(name, ...more);
    const answer = await get(env);
    expect(answer.status).toBe(2);
    expect(answer.stdout.split("\n")).toHaveLength(3);
    expect(answer.stdout).toMatch(problem);
    expect(answer.stdout).toContain(`AWS secret ${name}`);
    expect(answer.stdout).toContain("[credential-invalid]");
    expect(answer.stdout).not.toContain(secret);
  });

  it("says so when AWS denies it", async () => {
    await add("team/registry");
    const key = await moto.createPowerlessUser();
    await moto.enforcePolicies(true);
    try {
      const denied = await get(moto.env(region, key));
      expect(denied).toMatchObject({
        status: 2,
        stdout: expect.stringMatching(/AWS secret team\/registry .*AWS denies it[\s\S]*\[credential-invalid\]/),
      });
      const unknown = await get(moto.env(region, { id: "AKIAUNKNOWN", secret: "x" }));
      expect(unknown.stdout).toMatch(/AWS denies it \(403 /);
    } finally {
      await moto.enforcePolicies(false);
    }
  });

  it("tells git by SSH that the key is none", async () => {
    const args = ["--service", "git", "--url", "git@git.example.com", "--aws-secret", "team/key"];
    expect((await user.slipway("credentials", "add", ...args)).status).toBe(0);
    const cloned = await user.run("git-ssh-slipway", ["git@git.example.com", "git-upload-pack 'a'"]);
    expect(cloned).toMatchObject({ status: 2, stdout: "" });
    expect(cloned.stderr).toMatch(/AWS secret team\/key .*"private_key"[\s\S]*\[credential-invalid\]\n$/);
  });
});

describe("Amazon ECR", () => {
  const host = `123456789012.dkr.ecr.${region}.amazonaws.com`;

  it("takes AWS's login, which is known by the registry's name alone", async () => {
    const answer = await user.ask("docker-credential-slipway", "get", host);
    expect(JSON.parse(answer.stdout)).toEqual({ ServerURL: host, Username: "AWS", Secret: expect.stringMatching(/./) });
    const explained = await user.slipway("credentials", "explain", host);
    expect(explained.stdout).toMatch(/A password of AWS, from AWS login to ECR in eu-central-1\./);
  });

  it("tells Bazel until when it is good", async () => {
    const uri = `https://${host}/v2/app/blobs/sha256:${"0".repeat(64)}`;
    const answer = JSON.parse((await user.ask("bazel-credential-slipway", "get", JSON.stringify({ uri }))).stdout);
    expect(answer.headers.Authorization[0]).toMatch(/^Basic /);
    expect(answer.expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it("is asked anonymously where AWS says no, and the reason is told", async () => {
    const nobody = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
    const answer = await user.ask("docker-credential-slipway", "get", host, nobody);
    expect(answer).toMatchObject({ status: 1, stdout: "credentials not found in native keychain\n" });
    expect(answer.stderr).toMatch(/^AWS login to ECR in eu-central-1: no AWS credentials were found; /);
  });
});

user.keepsSecrets();
