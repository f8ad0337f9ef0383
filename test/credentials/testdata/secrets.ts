import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Outcome } from "./installed.ts";

interface RunOptions {
  readonly env: Record<string, string>;
  readonly input?: string | undefined;
}

/** Milliseconds between two looks at the machine's processes. */
const interval = 10;

/** By which the kernel's clock for files may lag, in milliseconds. */
const lag = 1000;

/**
 * Collects what could show a secret: what commands print, the arguments of all processes while they run, and files,
 * unpacked where they are
 * packed, as layers are.
 */
export class SecretWatch {
  readonly #forms: { readonly secret: string; readonly form: Buffer }[] = [];
  readonly #folders: readonly string[];
  readonly #since = Date.now() - lag;
  readonly #seen: { readonly where: string; readonly text: Buffer }[] = [];
  readonly #commandLines = new Set<string>();
  readonly #environments = new Set<string>();

  /**
   * @param folders where to look for files that came, or were changed, since now: the others cannot hold what nobody
   * knew yet
   */
  constructor(secrets: readonly string[], ...folders: readonly string[]) {
    this.#folders = folders;
    for (const secret of secrets) this.protect(secret);
  }

  /** Adds a secret, in what was seen before too. */
  protect(secret: string): void {
    // In base64 a text looks different by its distance from the start.
    const forms = [secret, ...[0, 1, 2].map((shift) => base64Core(secret, shift)), encodeURIComponent(secret)];
    for (const form of new Set(forms)) this.#forms.push({ secret, form: Buffer.from(form) });
  }

  /** How many command lines were seen, so that a test can tell that somebody looked. */
  get commandLines(): number {
    return this.#commandLines.size;
  }

  /** The same of environments. */
  get environments(): number {
    return this.#environments.size;
  }

  async run(command: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
    const outcome = await this.unwatched(command, args, options);
    this.saw(`${command} ${args.join(" ")}`, `${outcome.stdout}\n${outcome.stderr}`);
    return outcome;
  }

  /** Runs a command whose output may show secrets. */
  unwatched(command: string, args: readonly string[], { env, input }: RunOptions): Promise<Outcome> {
    return this.while(async () => {
      const child = spawn(command, args, { env, stdio: "pipe" });
      child.stdin.on("error", () => {}).end(input);
      const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
      return { status, stdout, stderr };
    });
  }

  /**
   * Looks at the command lines of all processes while something happens.
   *
   * @param environments whether to look at what is in the environments of those of other users too
   */
  async while<Result>(action: () => Promise<Result>, environments = false): Promise<Result> {
    const sampling = setInterval(() => this.#sample(environments), interval);
    try {
      const result = action();
      this.#sample(environments);
      return await result;
    } finally {
      clearInterval(sampling);
    }
  }

  /** Keeps what something said, to be searched in the end. */
  saw(where: string, text: string): void {
    this.#seen.push({ where, text: Buffer.from(text) });
  }

  #sample(environments: boolean): void {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        this.#commandLines.add(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
        if (environments && statSync(`/proc/${pid}`).uid !== process.getuid?.()) {
          this.#environments.add(readFileSync(`/proc/${pid}/environ`, "latin1"));
        }
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
    for (const text of this.#environments) places.push({ where: "an environment", text: Buffer.from(text, "latin1") });
    const found = places.flatMap((place) => this.#inspect(place.where, place.text));
    for (const path of this.files()) {
      if (allowed.includes(path)) continue;
      const bytes = unlessGone(() => readFileSync(path)) ?? Buffer.alloc(0);
      found.push(...this.#inspect(path, bytes), ...this.#inspect(`${path}, unpacked`, unpack(bytes)));
    }
    return found;
  }

  /** The files that are searched. Links are not followed. */
  files(): string[] {
    return this.#folders
      .flatMap((folder) => [...filesBelow(folder)])
      .filter((path) => (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0) >= this.#since);
  }

  #inspect(where: string, text: Buffer): string[] {
    const found = this.#forms.find(({ form }) => text.includes(form));
    return found ? [`${found.secret} in ${where}`] : [];
  }
}

/** Node's own recursion follows links, and so would be led away, or be here twice. */
function* filesBelow(folder: string): Generator<string> {
  for (const entry of unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

function unlessGone<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** What is in a gzip or Zstandard file, as far as it goes. Empty for any other. */
function unpack(bytes: Buffer): Buffer {
  try {
    if (bytes.readUInt16BE(0) === 0x1f8b) return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
    if (bytes.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush });
  } catch {
    // It only begins like one, or is too short for either.
  }
  return Buffer.alloc(0);
}

/** The characters of base64 that a secret alone decides, wherever it lies in what was encoded. */
function base64Core(secret: string, shift: number): string {
  const encoded = Buffer.from(" ".repeat(shift) + secret)
    .toString("base64")
    .replace(/=+$/, "");
  return encoded.slice(shift === 0 ? 0 : shift + 1, -1);
}
