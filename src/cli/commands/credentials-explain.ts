import process from "node:process";
import { printable } from "../../core/printable.ts";
import type { Service } from "../../credentials/service-url.ts";
import { command } from "../command.ts";
import { type Lookup, lookUpAsked, readAsked, service } from "./credentials-lookup.ts";
import { json, required } from "./options.ts";
import { printJson } from "./output.ts";

const url = required("Registry, image, git URL or download URL");

/** Shows only the secret's kind and user name. */
export const explain = command({ url, service, json }, async ({ url, service, json }) => {
  const asked = readAsked(url, service);
  const lookup = await lookUpAsked(asked, process.env);
  if (json) printJson(asJson(url, asked.service, lookup));
  else process.stdout.write(asText(lookup));
  if (lookup.failure !== undefined) throw lookup.failure;
});

function asJson(url: string, service: Service, lookup: Lookup): object {
  const { credential, source, expiresAt, considered = [], problems } = lookup;
  const username = credential?.kind === "password" ? credential.username : undefined;
  const answer = { url, service, source: source ?? null, kind: credential?.kind ?? null, username, expiresAt };
  return { ...answer, considered, problems };
}

function asText({ credential, source, failure, considered = [] }: Lookup): string {
  const lines = considered.map(({ place, used, reason }) => `${used ? "used    " : "not used"}  ${place}: ${reason}`);
  if (credential?.kind === "password") lines.push(`A password of ${credential.username}, from ${source}.`);
  else if (credential) lines.push(`${kinds[credential.kind]}, from ${source}.`);
  else if (failure === undefined) lines.push("Nothing: it is asked anonymously.");
  return `${lines.map(printable).join("\n")}\n`;
}

const kinds = {
  "identity-token": "An identity token",
  "registry-token": "A registry token",
  "ssh-key": "An SSH key",
  "ssh-key-file": "An SSH key",
} as const;
