import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { privateAuthority } from "../registries/testdata/certificates.ts";
import { startDockerRegistry } from "../registries/testdata/docker-registry.ts";
import { startTokenServer } from "../registries/testdata/token-server.ts";
import { chain } from "./chain.ts";

/** User `u`; no other test has these passwords. The line is bcrypt, the one kind that Debian's registry takes. */
const password = "kettenwort-7f3a-nur-hier";
const htpasswd = "u:$2y$05$abcdefghijklmnopqrstuuUe.JYMF8tmeAQUND1GzvxGwxVILrK76";
const passwordForTokens = "kettenwort-91c2-nur-hier";

/** The text of a file in which docker and podman keep logins. */
function logins(host: string, secret: string): string {
  return JSON.stringify({ auths: { [host]: { auth: Buffer.from(`u:${secret}`).toString("base64") } } });
}

// The user's secret comes to our tools by another way each time.
chain({
  "docker-registry, open": async (user) => {
    const host = await startDockerRegistry({ auth: "none", storage: join(user.places.registries, "open") });
    return { host, secrets: [], env: { SLIPWAY_REGISTRY: host }, login: () => user.noLogins };
  },
  "docker-registry with passwords": async (user) => {
    const host = await startDockerRegistry({ auth: { htpasswd }, storage: join(user.places.registries, "passwords") });
    // Ours takes the variable, which the engine does not know.
    const file = user.writeSecret("containers/passwords.json", logins(host, password));
    const env = { SLIPWAY_REGISTRY: host, DOCKER_AUTH_CONFIG: logins(host, password), REGISTRY_AUTH_FILE: file };
    return { host, secrets: [password], env, login: () => file };
  },
  "docker-registry with TLS by a private authority": async (user) => {
    const authority = privateAuthority();
    const tls = authority.issue("localhost");
    const host = await startDockerRegistry({ auth: { htpasswd }, tls, storage: join(user.places.registries, "tls") });
    const certificates = user.configuration("certificates");
    mkdirSync(certificates);
    copyFileSync(authority.certificate, join(certificates, "ca.crt"));
    const entry = { ca: join(certificates, "ca.crt"), plainHttp: false };
    // JSON is YAML.
    user.write("slipway/config.yaml", JSON.stringify({ registries: { [host]: entry } }));
    const lines = user.writeSecret("two lines.txt", `u\n${password}\n`);
    await user.slipway(["credentials", "add", "--service", "docker", "--url", host, "--file", lines]);
    const file = user.writeSecret("containers/tls.json", logins(host, password));
    // Ours takes what it was told by its own command; the engine, the file.
    const env = { SLIPWAY_REGISTRY: host, REGISTRY_AUTH_FILE: file };
    return { host, secrets: [password], env, certificates, login: () => file };
  },
  "docker-registry with a token server": async (user) => {
    const tokens = await startTokenServer(passwordForTokens);
    const host = await startDockerRegistry({ auth: tokens, storage: join(user.places.registries, "tokens") });
    user.write("slipway/config.yaml", JSON.stringify({ registries: { [host]: tokens.settings } }));
    const file = user.writeSecret("containers/tokens.json", logins(host, passwordForTokens));
    const env = { SLIPWAY_REGISTRY: host, REGISTRY_AUTH_FILE: file };
    return { host, secrets: [passwordForTokens, tokens.tokenStart], env, login: () => file };
  },
});
