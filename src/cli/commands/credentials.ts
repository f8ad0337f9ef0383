import type { Argv } from "yargs";
import { services } from "../../credentials/service-url.ts";
import { flag, json, required, text } from "./options.ts";

const service = { choices: services, describe: "Kind of service" } as const;

/** Commands for credentials. Each loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "add",
      "Add a source for a registry, a git server or downloads",
      (command) =>
        command
          .option("service", { ...service, demandOption: true })
          .option(
            "url",
            required(
              "Registry, server or URL to use it for, such as registry.example.com/team; the longest match wins",
            ),
          )
          .option("name", text("Name for `containerRegistry:` in service files. Default: none"))
          .option(
            "file",
            text("File with exactly two lines, the user name and the password; Slipway stores only its path"),
          )
          .option(
            "aws-secret",
            text("Name of a secret in AWS Secrets Manager, JSON with username and password, or private_key"),
          )
          .option("region", text("AWS region of that secret. Default: from the AWS configuration"))
          .option("ssh-key", text("Private key file for git over SSH; Slipway stores only its path"))
          .option("username", text("User name, with --password-stdin or --password-env"))
          .option(
            "password-stdin",
            flag("Read the password from standard input and store it in a file that only you can read"),
          )
          .option("password-env", text("Environment variable with the password, read at each use"))
          .example("$0 credentials add --service docker --url registry.example.com --file ~/ci.txt", "Add a registry")
          .example("$0 credentials add --service git --url git@github.com --ssh-key ~/.ssh/deploy", "Add git over SSH"),
      async (options) => (await import("./credentials-add.ts")).add(options),
    )
    .command("list", "List the sources, without secrets", { json }, async (options) =>
      (await import("./credentials-list.ts")).list(options),
    )
    .command(
      "remove <what>",
      "Remove a source; the file or secret that it refers to stays",
      (command) =>
        command
          .positional("what", required("Name of the source, or its URL as `list` shows it"))
          .option("service", service),
      async (options) => (await import("./credentials-list.ts")).remove(options),
    )
    .command(
      "explain <url>",
      "Show which source applies to a registry or URL, and why",
      (command) =>
        command
          .positional("url", required("Registry, image, git URL or download URL"))
          .option("service", { ...service, describe: "Kind of service. Default: guessed from the URL" })
          .option("json", json),
      async (options) => (await import("./credentials-explain.ts")).explain(options),
    )
    .command(
      "test [what]",
      "Read sources and check whether the services accept them",
      (command) =>
        command
          .positional("what", text("Name, registry or URL. Default: all sources"))
          .option("service", { ...service, describe: "Kind of service. Default: guessed from the URL" }),
      async (options) => (await import("./credentials-test.ts")).test(options),
    )
    .demandCommand(1, "slipway credentials needs a command.");
}
