import { join } from "node:path";
import { emptyFolder, output } from "./built.ts";

const uris = "default##localhost:5000/a@sha256:1::slim##localhost:5000/a@sha256:2";

/** A virtual environment into which pip has put a package. */
export class Environment {
  readonly cwd = emptyFolder();

  constructor(packageFile: string, ...options: string[]) {
    output(["python3", "-m", "venv", "venv"], { cwd: this.cwd });
    output([this.bin("pip"), "install", "--quiet", "--no-cache-dir", ...options, packageFile], {
      cwd: this.cwd,
    });
  }

  bin(name: string): string {
    return join(this.cwd, "venv/bin", name);
  }

  python(program: string, env: Readonly<Record<string, string>> = {}): string {
    return output([this.bin("python"), "-c", program], { cwd: this.cwd, env });
  }

  /** What a program says of its images that was started without them, and with them. */
  images(): [string, string] {
    const program =
      "import slipway; print(slipway.has_container_image(), slipway.has_container_image('slim') and slipway.container_image('slim'))";
    return [this.python(program), this.python(program, { SLIPWAY_CONTAINER_IMAGE_URIS: uris })];
  }
}

/** What {@link Environment.images} gives for a package that works. */
export const expectedImages = ["False False\n", "True localhost:5000/a@sha256:2\n"];
