import { describe, expect, it } from "vitest";
import { withoutRepositories } from "./repo-mapping.ts";

describe("withoutRepositories", () => {
  it("leaves out the lines that are for an interpreter's repository, and no other", () => {
    const mapping = [
      ",slipway,_main",
      "_main~toolchains~slipway_node_linux_x86_64,slipway,_main",
      "rules_nodejs++node+nodejs_linux_arm64,rules_nodejs,rules_nodejs+",
      "nodejs_tools,a,b",
      "my_nodejs_app,slipway_node_linux_x86_64,b",
      "",
    ];
    const kept = withoutRepositories(Buffer.from(mapping.join("\n")), ["nodejs_", "slipway_node_"]);
    expect(kept.toString()).toBe(",slipway,_main\nmy_nodejs_app,slipway_node_linux_x86_64,b\n");
  });

  it("changes nothing where there is nothing to leave out", () => {
    expect(withoutRepositories(Buffer.from(""), ["nodejs_"]).toString()).toBe("");
    expect(withoutRepositories(Buffer.from(",a,b\nx~1.2~y,a,b\n"), []).toString()).toBe(",a,b\nx~1.2~y,a,b\n");
  });
});
