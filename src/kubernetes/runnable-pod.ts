import { runnableImage } from "../signatures/runnable-image.ts";
import { containerName, type PodSpec } from "./objects.ts";

/** That pods of before may start again. @throws Failure as {@link runnableImage} */
export async function requireRunnable({ containers }: Pick<PodSpec, "containers"> = { containers: [] }): Promise<void> {
  for (const { name, image } of containers) if (name === containerName && image) await runnableImage(image);
}
