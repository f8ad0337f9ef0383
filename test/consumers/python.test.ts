import { afterAll, expect, it } from "vitest";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("python");
afterAll(() => consumer.end());

const menu = "soup      4.50\nfish     12.25\n";

it("runs a Python program with a package from a lock file, here and in its image", async () => {
  const stdout = await consumer.run("//:main");
  const image = /^The image: (localhost:\d+\/python_example@sha256:[0-9a-f]{64})$/m.exec(stdout)?.[1] ?? "";
  expect(stdout).toMatch(/^soup .*\nfish .*\nPython 3\.\d+\.\d+\nThe image: .*\n$/);
  expect(stdout.startsWith(menu)).toBe(true);
  expect(await consumer.podman(image)).toMatch(new RegExp(`^${menu}Python 3\\.11\\.\\d+\nNo image was built\\.\n$`));
});

it("lists in the SBOM the packages that are installed in its image", async () => {
  const image = (await consumer.run("//:main_push")).trim();
  const sbom = JSON.parse(await consumer.slipway("image", "sbom", image));
  const purls: string[] = sbom.packages.flatMap((each: { externalRefs?: { referenceLocator: string }[] }) =>
    (each.externalRefs ?? []).map(({ referenceLocator }) => referenceLocator),
  );
  const of = (type: string) =>
    purls
      .filter((purl) => purl.startsWith(`pkg:${type}/`))
      .map((purl) => decodeURIComponent(purl).replace(/^pkg:[a-z]+\/(?:debian\/)?([^?]*).*$/, "$1"))
      .sort();
  // As `pip list` and `dpkg-query --show` read them.
  const python = `
import glob, importlib.metadata, re
folders = glob.glob("/app/main.runfiles/*/site-packages") + ["/usr/lib/python3/dist-packages"]
for each in importlib.metadata.distributions(path=folders):
    print("pypi", re.sub("[-_.]+", "-", each.name).lower() + "@" + each.version)
for each in open("/var/lib/dpkg/status").read().split("\\n\\n"):
    fields = dict(re.findall("^(Package|Version): (.*)$", each, re.M))
    print("deb", fields["Package"] + "@" + fields["Version"])
`;
  const installed = (await consumer.inImage(image, "python3", "-c", python)).trim().split("\n");
  for (const type of ["pypi", "deb"]) {
    const expected = installed.filter((line) => line.startsWith(`${type} `)).map((line) => line.slice(type.length + 1));
    expect(expected.length).toBeGreaterThan(0);
    expect(of(type)).toEqual(expected.sort());
  }
});

it("runs it here without an image", async () => {
  expect(await consumer.run("//:main_local")).toMatch(/^soup .*\nfish .*\nPython .*\nNo image was built\.\n$/);
  // Nothing for TypeScript either.
  expect(consumer.unneeded(/esbuild/)).toEqual([]);
});
