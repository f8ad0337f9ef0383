import { describe, expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { parseReference } from "../oci/reference.ts";
import { findNamedRegistry } from "./named.ts";
import { Home } from "./testdata/home.ts";

const kept = { kind: "stored", username: "u", password: "geheim" } as const;
const password = { kind: "password", username: "u", password: "geheim" };

function home(): Home {
  const home = new Home();
  home.store(
    { name: "team", service: "docker", url: "Registry.example.com:5000/team", source: kept },
    { name: "dockerhub-prod", service: "docker", url: "docker.io", source: kept },
    { name: "code", service: "git", url: "git.example.com", source: kept },
    { name: "lost", service: "docker", url: "lost.example.com", source: { kind: "file", path: "/nowhere" } },
  );
  return home;
}

const find = (name: string, image: string) => findNamedRegistry(name, parseReference(image), home().env);

async function messageFor(name: string, image = "registry.example.com:5000/team/app"): Promise<string> {
  const error = await find(name, image).catch((error) => error);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message.split("\n")).toHaveLength(2);
  expect(error.message).not.toContain("geheim");
  return error.message;
}

describe("the name of a registry", () => {
  it("gives the registry, the part of it, and the credential", async () => {
    expect(await find("team", "registry.example.com:5000/team/app:v1")).toEqual({
      registry: "registry.example.com:5000",
      repository: "team",
      credential: password,
      source: "team: the password of u that Slipway keeps (for docker Registry.example.com:5000/team)",
    });
    const hub = { registry: "registry-1.docker.io", repository: "", credential: password };
    expect(await find("dockerhub-prod", "paperspace/ml_server")).toMatchObject(hub);
  });

  it("that nothing has is an error with the nearest one, of registries alone", async () => {
    expect(await messageFor("dockerhub-prd")).toMatch(
      /^No credential for a registry has the name "dockerhub-prd" in .*credentials\.json\.\nWrite dockerhub-prod, or add it: `slipway credentials add --service docker --name dockerhub-prd --url REGISTRY …`\.$/,
    );
    expect(await messageFor("Team")).toMatch(/\nWrite team, or add it/);
    expect(await messageFor("cod")).toMatch(/\nWrite one of team, dockerhub-prod, lost, or add it/);
    const nobody = await findNamedRegistry("team", parseReference("a"), new Home().env).catch((error) => error);
    expect(nobody.message).toMatch(/\nAdd it: `slipway credentials add/);
  });

  it("that is of something else is an error", async () => {
    expect(await messageFor("code")).toMatch(
      /^Credential code: .* \(for git git\.example\.com\) is not for a registry\./,
    );
  });

  it("gives nothing for an image of another registry, or of another part of it", async () => {
    for (const image of [
      "paperspace/ml_server",
      "registry.example.com/team/app",
      "registry.example.com:5000/teammate/app",
    ]) {
      expect(await messageFor("team", image)).toMatch(
        /^Credential team: .* is not for the image \S+\.\nWrite the image with its registry, Registry\.example\.com:5000\/team\/…/,
      );
    }
  });

  it("whose source cannot be read is an error that names it", async () => {
    expect(await messageFor("lost", "lost.example.com/app")).toMatch(
      /^Credential lost: file \/nowhere .* cannot be read/,
    );
  });
});
