import { createReadStream } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { type Readable, Writable } from "node:stream";
import { UserError } from "../../core/errors.ts";
import { userPath } from "../../core/user-path.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import { checkSecretName, maximumValue, type SecretStore, secretValue } from "../../secrets/secrets.ts";
import { defaultServiceEngine, type EngineName, serviceEngine, serviceEngines } from "../../services/open-engine.ts";
import { command } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { json, required, text } from "./options.ts";
import { columns, printJson } from "./output.ts";

const engine = {
  choices: serviceEngines,
  describe: `Engine of the services. Default: ${defaultServiceEngine}`,
} as const;

export const set = command(
  {
    name: required("Name of the secret; services refer to it as SECRET:NAME"),
    file: text("File with the value. Default: standard input"),
    engine,
  },
  async ({ name, file, engine }) => {
    checkSecretName(name);
    const store = await openStore(engine);
    await store.set(name, await readValue(file));
    process.stderr.write(`Set ${name} in ${store.place}.\n`);
  },
  (yargs) => yargs.example("pass show git | $0 secret set git-token", "Store a password without its final newline"),
);

export const ls = command({ json, engine }, async ({ json, engine }) => {
  const store = await openStore(engine);
  const secrets = await store.list();
  if (json) printJson(secrets);
  else process.stdout.write(columns(secrets.map(({ name, set: time, place }) => [name, time, place])));
  if (secrets.length === 0) process.stderr.write(`There are no secrets in ${store.place}.\n`);
});

const names = { ...required("Names of secrets, as `ls` shows them"), array: true } as const;

export const rm = command({ names, engine }, async ({ names, engine }) => {
  for (const name of names) checkSecretName(name);
  const store = await openStore(engine);
  await store.remove([...new Set(names)]);
  process.stderr.write(`Removed ${names.join(", ")} from ${store.place}.\n`);
});

async function openStore(asked: EngineName | undefined): Promise<SecretStore> {
  if (serviceEngine(asked, process.env) === "container") return new LocalSecrets(process.env);
  const { openCluster } = await import("../../kubernetes/cluster.ts");
  const { ClusterSecrets } = await import("../../secrets/cluster.ts");
  return new ClusterSecrets(await openCluster(process.env));
}

async function readValue(file: string | undefined): Promise<Buffer> {
  if (file !== undefined) {
    const content = await bounded(createReadStream(userPath(file))).catch((cause: NodeJS.ErrnoException) => {
      const identity = { code: "file-unreadable", culprit: file } as const;
      throw new UserError(identity, `File ${file} cannot be read (${cause.code}).`, "Name a file that you can read.", {
        cause,
      });
    });
    return secretValue(content, `File ${file}`);
  }
  if (process.stdin.isTTY) return secretValue(await askPerson(), "The terminal");
  return secretValue(await bounded(process.stdin), "Standard input");
}

/** Reads slightly more than the maximum size, so that a value that is too long is detected. */
async function bounded(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > maximumValue + 2) break;
  }
  return Buffer.concat(chunks);
}

async function askPerson(): Promise<Buffer> {
  process.stderr.write("Value (it is not shown): ");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // readline echoes the input instead of the terminal, to this output.
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    const line = await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("close", () =>
        reject(optionError("stdin", "No value was given.", "Type or paste it, then press Enter.")),
      );
    });
    return Buffer.from(line);
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
