import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "./installed.ts";

interface RunOptions {
  readonly env: Record<string, string>;
  readonly input?: string | undefined;
}

/** Milliseconds between two looks at the machine's processes. */
const interval = 10;

/** Collects what could show a secret: what commands print, the arguments of all processes while they run, and files. */
export class SecretWatch {
  readonly #forms: readonly { readonly secret: string; readonly form: Buffer }[];
  readonly #folder: string;
  readonly #seen: { readonly where: string; readonly text: Buffer }[] = [];
  readonly #commandLines = new Set<string>();

  constructor(secrets: readonly string[], folder: string) {
    this.#folder = folder;
    // In base64 a text looks different by its distance from the start.
    this.#forms = secrets.flatMap((secret) =>
      [secret, ...[0, 1, 2].map((shift) => base64Core(secret, shift)), encodeURIComponent(secret)].map((form) => ({
        secret,
        form: Buffer.from(form),
      })),
    );
  }

  /** How many command lines were seen, so that a test can tell that somebody looked. */
  get commandLines(): number {
    return this.#commandLines.size;
  }

  async run(command: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
    const outcome = await this.unwatched(command, args, options);
    this.#seen.push({ where: `${command} ${args.join(" ")}`, text: Buffer.from(`${outcome.stdout}\n${outcome.stderr}`) });
    return outcome;
  }

  async unwatched(command: string, args: readonly string[], { env, input }: RunOptions): Promise<Outcome> {
    const child = spawn(command, args, { env, stdio: "pipe" });
    this.#sample();
    const sampling = setInterval(() => this.#sample(), interval);
    try {
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk) => (stdout += chunk));
      child.stderr.on("data", (chunk) => (stderr += chunk));
      child.stdin.on("error", () => {});
      child.stdin.end(input);
      const status = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
      });
      return { status, stdout, stderr };
    } finally {
      clearInterval(sampling);
    }
  }

  #sample(): void {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        this.#commandLines.add(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  /**
   * Where secrets are to be seen.
   *
   * @param allowed files that may hold them, since they are where the test or the user put them
   */
  findings(allowed: readonly string[]): string[] {
    const places = [...this.#seen];
    for (const line of this.#commandLines) places.push({ where: "a command line", text: Buffer.from(line, "latin1") });
    const found = places.flatMap((place) => this.#inspect(place.where, place.text));
    for (const file of readdirSync(this.#folder, { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name);
      if (!file.isFile() || file.name === "node" || allowed.includes(path)) continue;
      found.push(...this.#inspect(path, readFileSync(path)));
    }
    return found;
  }

  #inspect(where: string, text: Buffer): string[] {
    const found = this.#forms.find(({ form }) => text.includes(form));
    return found ? [`${found.secret} in ${where}`] : [];
  }
}

/** The characters of base64 that a secret alone decides, wherever it lies in what was encoded. */
function base64Core(secret: string, shift: number): string {
  const encoded = Buffer.from(" ".repeat(shift) + secret)
    .toString("base64")
    .replace(/=+$/, "");
  return encoded.slice(shift === 0 ? 0 : shift + 1, -1);
}
