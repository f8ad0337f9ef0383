import { chain } from "./chain.ts";
import { Registry } from "./registry.ts";

/** How its tokens for the repositories of this test begin, and those of no other test. */
const tokenStart = Buffer.from('{"repository":"chain/').toString("base64url");

chain({
  "the embedded registry": async (user) => {
    // For a token of the registry it must run, so this starts it.
    const token = (repository: string, action: "pull" | "push") =>
      user.slipway(["registry", "token", repository, ...(action === "push" ? ["--push"] : [])]);
    await token("chain/base", "push");
    const { host } = await new Registry(user.workspace).status();
    const login = async (repository: string, action: "pull" | "push") => {
      const auth = Buffer.from(`token:${(await token(repository, action)).trim()}`).toString("base64");
      return user.writeSecret(`containers/${action}.json`, JSON.stringify({ auths: { [host]: { auth } } }));
    };
    return { host, secrets: [tokenStart], env: {}, login };
  },
});
