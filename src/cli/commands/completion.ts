import process from "node:process";
import yargs, { type Argv } from "yargs";

const shells = ["bash", "zsh"] as const;

export function builder(parser: Argv): Argv {
  return parser
    .positional("shell", {
      choices: shells,
      defaultDescription: "from SHELL, else bash",
      describe: "Shell to write the script for",
    })
    .example("$0 completion >> ~/.bashrc", "Enable completion in every new bash; for zsh, append to ~/.zshrc");
}

/** Prints the script, which runs the `slipway` on PATH. */
export async function handler(options: { readonly shell?: (typeof shells)[number] | undefined }): Promise<void> {
  // yargs picks the script by SHELL, and treats every shell but zsh as bash.
  if (options.shell) {
    process.env["SHELL"] = options.shell;
    delete process.env["ZSH_NAME"];
  }
  yargs([]).scriptName("slipway").showCompletionScript();
}
