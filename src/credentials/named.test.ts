import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
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

async function remedyFor(name: string, home: Home): Promise<string> {
  const image = parseReference("registry.example.com:5000/team/app");
  const error = await findNamedRegistry(name, image, home.env).catch((error) => error);
  expect(error).toEqual(userErrorWith("credential-not-found", name));
  return error.remedy;
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
    expect(await remedyFor("dockerhub-prd", home())).toBe(
      "Write dockerhub-prod, or add it: `slipway credentials add --service docker --name dockerhub-prd --url REGISTRY …`.",
    );
    expect(await remedyFor("Team", home())).toMatch(/^Write team, or add it/);
    expect(await remedyFor("cod", home())).toMatch(/^Write one of team, dockerhub-prod, lost, or add it/);
    expect(await remedyFor("team", new Home())).toMatch(/^Add it: `slipway credentials add/);
  });

  it("that is of something else is an error", async () => {
    await expect(find("code", "git.example.com/app")).rejects.toThrow(userErrorWith("credential-invalid", "code"));
  });

  it("gives nothing for an image of another registry, or of another part of it", async () => {
    for (const image of [
      "paperspace/ml_server",
      "registry.example.com/team/app",
      "registry.example.com:5000/teammate/app",
    ]) {
      await expect(find("team", image)).rejects.toThrow(userErrorWith("credential-invalid", "team"));
    }
  });

  it("whose source cannot be read is an error that names it", async () => {
    await expect(find("lost", "lost.example.com/app")).rejects.toThrow(userErrorWith("credential-invalid", "lost"));
  });
});
