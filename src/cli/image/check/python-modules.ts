import type { CheckedImage, Mistake } from "./image.ts";

/** As `/usr/bin/python3 -m`. If the script sets PYTHONPATH or changes the folder, a module anywhere counts. */
export function findModule(
  image: CheckedImage,
  module: string,
  script: { readonly text: string } | undefined,
): Mistake | undefined {
  const file = module.replaceAll(".", "/");
  const names = [`${file}.py`, `${file}/__init__.py`];
  const folders = moduleFolders(image);
  const isFile = (path: string) => {
    const found = image.tree.find(path);
    return "node" in found && found.node.type === "file";
  };
  if (folders.some((folder) => names.some((name) => isFile(`${folder}/${name}`)))) return undefined;
  const [elsewhere] = names.flatMap((name) => image.tree.search(name)?.slice(0, -name.length - 1) ?? []);
  if (elsewhere === undefined) {
    return {
      where: `${file}.py`,
      problem: `no layer has the module ${module}`,
      remedy: module.startsWith("sematic.")
        ? "Install sematic in the image: RUN /usr/bin/python3 -m pip install sematic."
        : "Copy your code into the image, into its working folder or a folder of PYTHONPATH.",
    };
  }
  if (script && /\bPYTHONPATH=|(^|[\s;&|])cd\s/m.test(script.text)) return undefined;
  return {
    where: `${elsewhere}/${file}`,
    problem: `Python does not look for ${module} there`,
    remedy: `Add the folder when the image is built: ENV PYTHONPATH=${elsewhere || "/"}.`,
  };
}

function moduleFolders(image: CheckedImage): string[] {
  const working = image.config.config?.WorkingDir || "/";
  const given = (image.variable("PYTHONPATH") ?? "").split(":").filter((folder) => folder !== "");
  const python = image.tree.find("/usr/bin/python3");
  const prefix = "node" in python ? python.path.split("/").slice(0, -2).join("/") : "/usr";
  const libraries = [...new Set([`${prefix}/lib`, "/usr/lib", "/usr/local/lib"])].flatMap((lib) =>
    image.tree
      .list(lib)
      .filter((name) => /^python3(\.\d+)?$/.test(name))
      .map((name) => `${lib}/${name}`),
  );
  const packages = libraries.flatMap((lib) => [lib, `${lib}/dist-packages`, `${lib}/site-packages`]);
  return [working, ...given.map((folder) => (folder.startsWith("/") ? folder : `${working}/${folder}`)), ...packages];
}
