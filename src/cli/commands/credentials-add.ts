import process from "node:process";
import { userPath } from "../../core/user-path.ts";
import { readInput } from "../../credentials/protocols/helper.ts";
import { parseServiceUrl, services } from "../../credentials/service-url.ts";
import { describeEntry, type Entry, readCredential, readSshKey, type Source } from "../../credentials/source.ts";
import { isName, storePath } from "../../credentials/store.ts";
import { editStore, withEntry } from "../../credentials/store-edit.ts";
import { command, type Given } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { flag, required, text } from "./options.ts";

const specs = {
  service: { choices: services, describe: "Kind of service", demandOption: true },
  url: required("Registry, server or URL to use it for, such as registry.example.com/team; the longest match wins"),
  name: text("Name for `containerRegistry:` in service files. Default: none"),
  file: text("File with exactly two lines, the user name and the password; Slipway stores only its path"),
  "aws-secret": text("Name of a secret in AWS Secrets Manager, JSON with username and password, or private_key"),
  region: text("AWS region of that secret. Default: from the AWS configuration"),
  "ssh-key": text("Private key file for git over SSH; Slipway stores only its path"),
  username: text("User name, with --password-stdin or --password-env"),
  "password-stdin": flag("Read the password from standard input and store it in a file that only you can read"),
  "password-env": text("Environment variable with the password, read at each use"),
} as const;

export const add = command(
  specs,
  async (options) => {
    const { env } = process;
    const { service, url, name } = options;
    parseServiceUrl(service, url);
    if (name !== undefined && !isName(name)) {
      const problem = `--name is ${JSON.stringify(name)}, which is not a valid name for a credential.`;
      throw optionError("--name", problem, "Use letters, digits, and . _ - between them, at most 63 characters.");
    }
    const source = await sourceOf(options);
    const entry: Entry = { ...(name === undefined ? {} : { name }), service, url, source };
    if (source.kind === "ssh-key") await readSshKey(entry);
    else if (source.kind === "file" || source.kind === "stored") await readCredential(entry, env);
    await editStore(env, (entries) => withEntry(entries, entry));
    const kept = source.kind === "stored" ? `, in ${storePath(env)}, which only you can read` : "";
    process.stderr.write(`Added ${describeEntry(entry)}${kept}.\n`);
  },
  (yargs) =>
    yargs
      .example("$0 credentials add --service docker --url registry.example.com --file ~/ci.txt", "Add a registry")
      .example("$0 credentials add --service git --url git@github.com --ssh-key ~/.ssh/deploy", "Add git over SSH"),
);

async function sourceOf(options: Given<typeof specs>): Promise<Source> {
  const { service, file, awsSecret, region, sshKey, username, passwordStdin, passwordEnv } = options;
  const given = [file, awsSecret, sshKey, passwordStdin || undefined, passwordEnv].filter((each) => each !== undefined);
  if (given.length !== 1) {
    throw optionError(
      "slipway credentials add",
      `\`slipway credentials add\` got ${given.length === 0 ? "no source" : "more than one source"}.`,
      "Give one of --file, --aws-secret, --ssh-key, --password-stdin and --password-env.",
    );
  }
  const needsUser = passwordStdin || passwordEnv !== undefined;
  if (needsUser && !username) throw optionError("--username", "The user name is missing.", "Add --username.");
  if (!needsUser && username !== undefined) {
    const problem = "--username is only for --password-stdin and --password-env.";
    throw optionError("--username", problem, "Leave it out: the source has the user name.");
  }
  if (region !== undefined && awsSecret === undefined) {
    throw optionError("--region", "--region is only for --aws-secret.", "Leave it out, or add --aws-secret.");
  }
  if (file !== undefined) return { kind: "file", path: userPath(file) };
  if (awsSecret !== undefined) {
    return { kind: "aws-secret", secret: awsSecret, ...(region === undefined ? {} : { region }) };
  }
  if (sshKey !== undefined) {
    if (service !== "git")
      throw optionError("--ssh-key", "--ssh-key is only for the service git.", "Use another source.");
    return { kind: "ssh-key", path: userPath(sshKey) };
  }
  const user = username as string;
  if (passwordEnv !== undefined) return environmentSource(user, passwordEnv);
  return { kind: "stored", username: user, password: await passwordFromStdin() };
}

function environmentSource(username: string, variable: string): Source {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
    // The value may be the password itself, so the error must not show it.
    const problem = "--password-env is not the name of a variable.";
    throw optionError("--password-env", problem, "Give the name of the variable, not its value.");
  }
  return { kind: "environment", username, variable };
}

async function passwordFromStdin(): Promise<string> {
  if (process.stdin.isTTY) {
    throw optionError(
      "--password-stdin",
      "--password-stdin reads the password from a pipe, but stdin is a terminal.",
      "Pipe it in: `… --password-stdin < FILE`, or from your password manager.",
    );
  }
  const password = (await readInput(process.stdin)).replace(/\r?\n$/, "");
  if (password === "")
    throw optionError("--password-stdin", "--password-stdin got nothing: stdin is empty.", "Pipe the password in.");
  return password;
}
