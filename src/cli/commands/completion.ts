import process from "node:process";
import yargs, { type Argv } from "yargs";

const shells = ["bash", "zsh"] as const;

export function builder(parser: Argv): Argv {
  return parser
    .positional("shell", {
      choices: shells,
      defaultDescription: "yours, as SHELL names it, else bash",
      describe: "The shell that reads the script",
    })
    .example("$0 completion >> ~/.bashrc", "Complete commands and options in every new shell; zsh reads ~/.zshrc");
}

/** Prints the script. It runs the `slipway` that PATH finds. */
export async function handler(options: { readonly shell?: (typeof shells)[number] | undefined }): Promise<void> {
  // yargs writes what SHELL asks for, and takes any shell but zsh for bash.
  if (options.shell) {
    process.env["SHELL"] = options.shell;
    delete process.env["ZSH_NAME"];
  }
  yargs([]).scriptName("slipway").showCompletionScript();
}
