import process from "node:process";
import yargs from "yargs";
import { command } from "../command.ts";

export const completion = command(
  {
    shell: {
      choices: ["bash", "zsh", "fish"],
      defaultDescription: "from SHELL, else bash",
      describe: "Shell to write the script for",
    },
  },
  async ({ shell }) => {
    // yargs picks the script by SHELL, and treats every other shell as bash.
    if (shell) {
      process.env["SHELL"] = shell;
      delete process.env["ZSH_NAME"];
    }
    yargs([]).scriptName("slipway").showCompletionScript();
  },
  (parser) =>
    parser.example(
      "$0 completion >> ~/.bashrc",
      "Enable completion in every new bash; for zsh ~/.zshrc, for fish ~/.config/fish/config.fish",
    ),
);
