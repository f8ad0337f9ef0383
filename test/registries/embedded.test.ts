import { describe } from "vitest";
import { requestToken } from "../../src/registry-server/client.ts";
import { serverOfTest } from "../../src/registry-server/testdata/fixture.ts";
import { plainHttp, worksWith } from "./testdata/suite.ts";

// Our tools come over its socket, other clients by TCP with a token.
describe("the embedded registry", () => {
  worksWith(async () => {
    const { paths, host } = await serverOfTest();
    return {
      host,
      socketPath: paths.socket,
      skopeo: async (repository) => {
        const { token } = await requestToken(paths.socket, { repository, actions: ["pull"] });
        return [plainHttp, `--src-creds=token:${token}`];
      },
    };
  });
});
