import process from "node:process";
import { userPath } from "../../core/user-path.ts";
import { readInput } from "../../credentials/protocols/helper.ts";
import { parseServiceUrl, type Service } from "../../credentials/service-url.ts";
import { describeEntry, type Entry, readCredential, readSshKey, type Source } from "../../credentials/source.ts";
import { isName, storePath } from "../../credentials/store.ts";
import { editStore, withEntry } from "../../credentials/store-edit.ts";
import { optionError } from "../usage-error.ts";

interface AddOptions {
  readonly service: Service;
  readonly url: string;
  readonly name?: string | undefined;
  readonly file?: string | undefined;
  readonly awsSecret?: string | undefined;
  readonly region?: string | undefined;
  readonly sshKey?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordStdin: boolean;
  readonly passwordEnv?: string | undefined;
}

/** Adds a source after reading what it refers to. A secret on AWS is only read when it is needed. */
export async function add(options: AddOptions): Promise<void> {
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
}

async function sourceOf(options: AddOptions): Promise<Source> {
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
