import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { endpointOf } from "../../oci/endpoint.ts";
import { checkedRealm } from "./realm.ts";

const check = (
  registry: string,
  realm: string,
  options: { plainHttp?: boolean; tokenService?: string; secret?: boolean } = {},
) => checkedRealm(realm, { endpoint: endpointOf(registry, options.plainHttp), secret: true, ...options });

const untrusted = userErrorWith("token-service-untrusted");

describe("a token service", () => {
  // Each as the registry names it itself.
  it.each([
    ["docker.io", "https://auth.docker.io/token"],
    ["ghcr.io", "https://ghcr.io/token"],
    ["quay.io", "https://quay.io/v2/auth"],
    ["gcr.io", "https://gcr.io/v2/token"],
    ["us.gcr.io", "https://gcr.io/v2/token"],
    ["europe-docker.pkg.dev", "https://europe-docker.pkg.dev/v2/token"],
    ["public.ecr.aws", "https://public.ecr.aws/token/"],
    ["123456789012.dkr.ecr.eu-west-1.amazonaws.com", "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/token"],
    ["team.azurecr.io", "https://team.azurecr.io/oauth2/token"],
    ["registry.gitlab.com", "https://gitlab.com/jwt/auth"],
    ["registry.example.com", "https://gitlab.example.com/jwt/auth"],
    ["registry.example.com:5050", "https://gitlab.example.com:8443/jwt/auth"],
    ["registry.example.co.uk", "https://gitlab.example.co.uk/jwt/auth"],
    ["registry.digitalocean.com", "https://api.digitalocean.com/v2/registry/auth"],
    ["registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth"],
    ["registry.connect.redhat.com", "https://sso.redhat.com/auth/realms/rhcc/protocol/redhat-docker-v2/auth"],
    ["nvcr.io", "https://nvcr.io/proxy_auth"],
    ["harbor:8443", "https://harbor/service/token"],
    ["10.0.0.5:5000", "https://10.0.0.5:5001/auth"],
    ["localhost:5000", "http://localhost:5000/auth"],
    ["localhost:5000", "https://localhost:5001/auth"],
  ])("of %s may be %s", async (registry, realm) => {
    expect((await check(registry, realm)).href).toBe(new URL(realm).href);
  });

  it.each([
    ["registry.example.com", "https://attacker.example/token"],
    ["registry.example.com", "https://example.com.attacker.example/token"],
    ["registry.example.com", "https://notexample.com/token"],
    ["registry.example.co.uk", "https://attacker.co.uk/token"],
    ["one.azurecr.io", "https://two.azurecr.io/oauth2/token"],
    ["one.jfrog.io", "https://two.jfrog.io/token"],
    ["1.dkr.ecr.eu-west-1.amazonaws.com", "https://attacker.s3.amazonaws.com/token"],
    ["team.github.io", "https://github.io/token"],
    ["10.0.0.5", "https://10.0.0.6/token"],
    ["10.0.0.5", "https://0.0.5/token"],
    ["[fd00::1]", "https://[fd00::2]/token"],
    ["registry:443", "https://auth/token"],
    ["registry.example.com", "https://localhost/token"],
    ["registry.example.com", "http://registry.example.com/token"],
    ["registry.example.com", "http://auth.example.com/token"],
    ["localhost:5000", "http://example.com/token"],
    ["localhost:5000", "http://localhost:5001/auth"],
    ["localhost:5000", "http://127.0.0.1:5000/auth"],
    ["127.0.0.1:5000", "http://127.0.0.2:5000/auth"],
    ["localhost:5000", "https://127.0.0.1:5001/auth"],
    ["1.dkr.ecr.eu-west-1.amazonaws.com", "https://2.dkr.ecr.eu-west-1.amazonaws.com/token"],
    ["registry.example.com", "https://u:p@registry.example.com/token"],
    ["registry.example.com", "javascript:alert(1)"],
    ["registry.example.com", "file:///etc/passwd"],
    ["registry.example.com", "/token"],
    ["registry.example.com", ""],
  ])("of %s may not be %j", async (registry, realm) => {
    await expect(check(registry, realm)).rejects.toThrow(userErrorWith("token-service-untrusted", registry));
  });

  // Private suffixes of the Public Suffix List, and the domains of registries that it lacks.
  it.each([
    ...["amplifyapp.com", "appspot.com", "azurecr.io", "azurestaticapps.net", "azurewebsites.net"],
    ...[
      "blob.core.windows.net",
      "cdn77-ssl.net",
      "cloudapp.net",
      "cloudfront.net",
      "deno.dev",
      "duckdns.org",
      "fly.dev",
    ],
    ...["eu-west-1.elasticbeanstalk.com", "firebaseapp.com", "github.io", "githubusercontent.com", "gitlab.io"],
    ...["herokuapp.com", "jfrog.io", "netlify.app", "ngrok-free.app", "ngrok.io"],
    ...[
      "ondigitalocean.app",
      "onrender.com",
      "pages.dev",
      "repl.co",
      "a.run.app",
      "s3.amazonaws.com",
      "translate.goog",
      "wixsite.com",
      "myshopify.com",
    ],
    ...["supabase.co", "surge.sh", "trycloudflare.com", "up.railway.app", "vercel.app", "web.app", "workers.dev"],
    ...["execute-api.eu-west-1.amazonaws.com", "co.uk", "com.au", "kawasaki.jp"],
  ])("of another owner below %s gets no password", async (suffix) => {
    await expect(check(`one.${suffix}`, `https://two.${suffix}/token`)).rejects.toThrow(untrusted);
  });

  it("elsewhere may be one that the user named", async () => {
    const realm = "https://api.example.org/tokens";
    await expect(check("rg.example.cloud", realm)).rejects.toThrow(
      "write `tokenService: api.example.org` for rg.example.cloud",
    );
    expect((await check("rg.example.cloud", realm, { tokenService: "api.example.org" })).href).toBe(realm);
    const plain = check("rg.example.cloud", "http://api.example.org/", { tokenService: "api.example.org" });
    await expect(plain).rejects.toThrow(untrusted);
    const here = "http://localhost:5001/auth";
    expect((await check("localhost:5000", here, { tokenService: "localhost:5001" })).href).toBe(here);
  });

  it("elsewhere may be asked for an anonymous token by TLS", async () => {
    const realm = "https://api.example.org/tokens";
    expect((await check("rg.example.cloud", realm, { secret: false })).href).toBe(realm);
    const plain = check("rg.example.cloud", "http://api.example.org/", { secret: false });
    await expect(plain).rejects.toThrow(untrusted);
  });

  it("may be on the same host by plain HTTP where the registry is spoken to so", async () => {
    expect((await check("10.0.0.5:5000", "http://10.0.0.5:5001/auth", { plainHttp: true })).port).toBe("5001");
    const other = check("10.0.0.5:5000", "http://10.0.0.6:5001/auth", { plainHttp: true });
    await expect(other).rejects.toThrow(untrusted);
  });
});
