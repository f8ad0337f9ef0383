import type { Argv } from "yargs";
import { services } from "../../credentials/service-url.ts";

const json = { type: "boolean", default: false, describe: "Print JSON" } as const;
const service = { choices: services, describe: "Which service it is for" } as const;

/** Commands for the credentials of registries, git servers and downloads. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "add",
      "Say where the secret for a registry, a git server or downloads is",
      (command) =>
        command
          .option("service", { ...service, demandOption: true })
          .option("url", {
            type: "string",
            demandOption: true,
            describe: "Registry, server or URL it is for, such as registry.example.com/team; the longest match wins",
          })
          .option("name", {
            type: "string",
            describe: "Name by which `containerRegistry:` of a service refers to it. Default: none",
          })
          .option("file", {
            type: "string",
            describe: "File with exactly two lines, the user name and the password; its path is kept",
          })
          .option("aws-secret", {
            type: "string",
            describe: "Name of a secret in AWS Secrets Manager: JSON with username and password, or private_key",
          })
          .option("region", { type: "string", describe: "AWS region of that secret. Default: the AWS configuration's" })
          .option("ssh-key", { type: "string", describe: "File of a private key, for git by SSH; its path is kept" })
          .option("username", { type: "string", describe: "User name, with --password-stdin or --password-env" })
          .option("password-stdin", {
            type: "boolean",
            default: false,
            describe: "Keep the password that stdin gives, in a file that only you can read",
          })
          .option("password-env", {
            type: "string",
            describe: "Name of the variable that has the password when it is needed",
          })
          .example("$0 credentials add --service docker --url registry.example.com --file ~/ci.txt", "A registry")
          .example("$0 credentials add --service git --url git@github.com --ssh-key ~/.ssh/deploy", "Git by SSH"),
      async (options) => (await import("./credentials-add.ts")).add(options),
    )
    .command("list", "Show what was added, without secrets", { json }, async (options) =>
      (await import("./credentials-list.ts")).list(options),
    )
    .command(
      "remove <what>",
      "Forget a source; what it refers to stays",
      (command) =>
        command
          .positional("what", { type: "string", demandOption: true, describe: "Its name, or its URL as list shows it" })
          .option("service", service),
      async (options) => (await import("./credentials-list.ts")).remove(options),
    )
    .command(
      "explain <url>",
      "Show which source wins for a registry, repository or URL, and why",
      (command) =>
        command
          .positional("url", {
            type: "string",
            demandOption: true,
            describe: "Registry, image, git URL or URL of a file",
          })
          .option("service", { ...service, describe: "Default: what the URL looks like" })
          .option("json", json),
      async (options) => (await import("./credentials-explain.ts")).explain(options),
    )
    .command(
      "test [what]",
      "Read sources, and ask the services whether they take what is there",
      (command) =>
        command
          .positional("what", { type: "string", describe: "Name, registry or URL. Default: all that was added" })
          .option("service", { ...service, describe: "Default: what the URL looks like" }),
      async (options) => (await import("./credentials-test.ts")).test(options),
    )
    .demandCommand(1, "slipway credentials needs a command.");
}
