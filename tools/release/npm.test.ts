import { describe, expect, it } from "vitest";
import { reachable } from "./npm.ts";

describe("the declarations of a package", () => {
  const files: Readonly<Record<string, string>> = {
    "sdk/index.d.ts": 'export { a } from "./a.ts";\nexport type { Shared } from "../engine/shared.ts";\n',
    "sdk/a.d.ts": 'export declare const a: import("./deep.ts").Deep;\n',
    "sdk/deep.d.ts": 'import "node:fs";\nimport { a } from "./a.ts";\nexport type Deep = typeof a;\n',
    "engine/shared.d.ts": "export type Shared = 1;\n",
    "engine/hidden.d.ts": "export type Hidden = 1;\n",
  };
  const found = reachable("sdk/index.d.ts", (path) => files[path] ?? `no ${path}`);

  it("are those that its entry leads to, in circles too", () => {
    expect([...found.keys()].sort()).toEqual(["engine/shared.d.ts", "sdk/a.d.ts", "sdk/deep.d.ts", "sdk/index.d.ts"]);
  });

  it("import each other by names that every TypeScript takes, and leave other modules alone", () => {
    expect(found.get("sdk/index.d.ts")).toBe(
      'export { a } from "./a.js";\nexport type { Shared } from "../engine/shared.js";\n',
    );
    expect(found.get("sdk/deep.d.ts")).toContain('import "node:fs"');
    expect(found.get("sdk/a.d.ts")).toContain('import("./deep.js")');
  });
});
