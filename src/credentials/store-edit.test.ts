import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { Entry } from "./source.ts";
import { readStore, storePath } from "./store.ts";
import { editStore, withEntry } from "./store-edit.ts";
import { Home } from "./testdata/home.ts";

const entry = (url: string, username: string, name?: string): Entry => ({
  ...(name === undefined ? {} : { name }),
  service: "docker",
  url,
  source: { kind: "stored", username, password: "p" },
});

describe("the file of credentials", () => {
  it("is for its user alone, and so is its folder", async () => {
    const { env } = new Home();
    await editStore(env, (entries) => withEntry(entries, entry("h.org", "u")));
    const path = storePath(env);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(await readStore(env)).toEqual([entry("h.org", "u")]);
  });

  it("loses nothing when many processes change it at once", async () => {
    const { env } = new Home();
    const edit = join(import.meta.dirname, "store-edit.ts");
    const program = `
      const { editStore, withEntry } = await import(${JSON.stringify(edit)});
      const source = { kind: "file", path: "/a" };
      await editStore(process.env, (entries) => withEntry(entries, { service: "docker", url: process.argv[1], source }));`;
    const urls = Array.from({ length: 8 }, (_, index) => `h${index}.org`);
    const ends = urls.map(async (url) => {
      const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program, url];
      const [status] = await once(spawn(process.execPath, args, { env, stdio: "inherit" }), "exit");
      return status;
    });
    expect(await Promise.all(ends)).toEqual(urls.map(() => 0));
    expect((await readStore(env)).map(({ url }) => url).toSorted()).toEqual(urls);
  });

  it("stays as it was when a change fails, with no draft beside it", async () => {
    const home = new Home();
    const path = home.store(entry("h.org", "u"));
    const before = readFileSync(path);
    const failing = editStore(home.env, () => {
      throw new RangeError("no");
    });
    await expect(failing).rejects.toThrow(userErrorWith("file-unwritable", path));
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(dirname(path)).toSorted()).toEqual(["credentials.json", "credentials.json.lock"]);
  });

  it("is not written over when it cannot be read", async () => {
    const home = new Home();
    const path = home.write("config/slipway/credentials.json", "{");
    await expect(editStore(home.env, (entries) => withEntry(entries, entry("h.org", "u")))).rejects.toThrow(
      userErrorWith("file-invalid", path),
    );
    expect(readFileSync(path, "utf8")).toBe("{");
  });
});

describe("a credential that is added", () => {
  it("takes the place of the one with its name, or of the nameless one for its URL", () => {
    const all = [entry("a.org", "1"), entry("a.org", "2", "x"), entry("b.org", "3")];
    expect(withEntry(all, entry("a.org", "4"))).toEqual([all[1], all[2], entry("a.org", "4")]);
    expect(withEntry(all, entry("c.org", "5", "x"))).toEqual([all[0], all[2], entry("c.org", "5", "x")]);
  });
});
