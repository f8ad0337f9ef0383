/// <reference lib="dom" />
import { type ComponentChild, Fragment, h, type TargetedSubmitEvent } from "preact";
import { formatBytes } from "../../../config/quantity.ts";
import type { Answers, FileDifference, LayerLine, RepositoryLine } from "../messages.ts";
import { get, useAnswer } from "./api.ts";
import { Facts, Problem, reading, Table } from "./parts.ts";
import { TreeView } from "./tree.ts";

type ListedImage = Answers["images"][number];

const addressOf = (...words: readonly string[]) => `#/${words.map(encodeURIComponent).join("/")}`;

/** Leads to another view. The registries may be asked, since the user wrote them. */
function Names({
  names,
  values,
  button,
  lead,
}: {
  readonly names: readonly string[];
  readonly values: readonly string[];
  readonly button: string;
  readonly lead: (values: readonly string[]) => string;
}): ComponentChild {
  const onSubmit = (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = names.map((name) => String(form.get(name)).trim());
    const go = () => {
      const next = lead(given);
      if (next === location.hash) location.reload();
      else location.hash = next;
    };
    // The view says what is wrong with a name.
    void Promise.allSettled(given.map((name) => get("registries", { name }, "POST"))).then(go);
  };
  return h("form", { onSubmit }, [
    names.map((name, index) =>
      h("label", { key: name }, [
        name,
        h("input", {
          ...{ name, list: "known", required: true, autocomplete: "off", spellcheck: false },
          defaultValue: values[index],
        }),
      ]),
    ),
    h("button", {}, button),
  ]);
}

function ImageForm({ values }: { readonly values: readonly string[] }): ComponentChild {
  const lead = ([name = ""]: readonly string[]) => addressOf("images", name);
  return h(Names, { names: ["Image, of any registry"], button: "Show", lead, values });
}

function DiffForm({ values }: { readonly values: readonly string[] }): ComponentChild {
  const lead = (names: readonly string[]) => addressOf("diff", ...names);
  return h(Names, { names: ["One image", "Another image"], button: "Compare", lead, values });
}

export function ImagesView(): ComponentChild {
  const { answer, problem } = useAnswer("images", {});
  const { answer: registry } = useAnswer("registry", {});
  const nameOf = ({ repository, tag, digest }: ListedImage) =>
    `${registry?.host ?? ""}/${repository}${tag === undefined ? `@${digest}` : `:${tag}`}`;
  return h(Fragment, {}, [
    h(ImageForm, { values: [] }),
    h(DiffForm, { values: [] }),
    h("datalist", { id: "known" }, [
      registry && answer?.map((image) => h("option", { key: nameOf(image), value: nameOf(image) })),
    ]),
    h("h2", {}, "Images in the embedded registry"),
    h(Problem, { text: problem }),
    h(Table<ListedImage>, {
      label: "Images in the embedded registry",
      rows: registry && answer,
      none: "The embedded registry has no images.",
      problem,
      keyOf: nameOf,
      columns: [
        [
          "Image",
          (image) =>
            h("a", { href: addressOf("images", nameOf(image)) }, [
              `${image.repository}${image.tag === undefined ? "" : `:${image.tag}`}`,
            ]),
        ],
        ["Digest", ({ digest }) => h("span", { class: "code" }, digest)],
        ["Size", ({ size }) => formatBytes(size), "number"],
      ],
    }),
  ]);
}

export function ImageView({ name }: { readonly name: string }): ComponentChild {
  const { answer, problem } = useAnswer("image", { name });
  if (!answer)
    return h(Fragment, {}, h(Problem, { text: problem }), problem ? h(ImageForm, { values: [name] }) : reading);
  const size = answer.layers.reduce((sum, layer) => sum + layer.size, 0);
  return h(Fragment, {}, [
    h(Facts, {
      facts: [
        ["Digest", h("code", {}, answer.digest)],
        ["Platform", answer.platform],
        ["Size", `${formatBytes(size)} in ${answer.layers.length} layers`],
      ],
    }),
    h("h2", {}, "Layers, the lowest first"),
    h(Table<LayerLine>, {
      label: "Layers",
      rows: answer.layers,
      keyOf: ({ digest }) => digest,
      columns: [
        ["Layer", ({ comment }) => comment || "(no comment)"],
        ["Size", (layer) => formatBytes(layer.size), "number"],
        ["Share", (layer) => h(Share, { part: layer.size, whole: size })],
        ["Digest", ({ digest }) => h("span", { class: "code" }, digest)],
      ],
    }),
    h("h2", {}, "Files"),
    h(Files, { name }),
  ]);
}

function Files({ name }: { readonly name: string }): ComponentChild {
  const { answer, problem } = useAnswer("tree", { name });
  if (!answer)
    return problem ? h(Problem, { text: problem }) : h("p", { class: "dim", role: "status" }, "Reading the layers…");
  return h(Fragment, {}, h("p", { class: "dim" }, answer.facts), h(TreeView, { answer }));
}

function Share({ part, whole }: { readonly part: number; readonly whole: number }): ComponentChild {
  const width = `${whole > 0 ? (100 * part) / whole : 0}%`;
  return h("span", { class: "share", "aria-hidden": true }, h("i", { "data-state": "size", style: { width } }));
}

interface LayerPair {
  readonly layer: LayerLine;
  readonly where: "both" | "one" | "other";
}

export function DiffView({ one, other }: { readonly one: string; readonly other: string }): ComponentChild {
  const { answer, problem } = useAnswer("diff", { one, other });
  if (!answer)
    return h(Fragment, {}, h(Problem, { text: problem }), problem ? h(DiffForm, { values: [one, other] }) : reading);
  const [first, second] = [answer.one, answer.other].map(({ layers }) => new Set(layers.map(({ digest }) => digest)));
  const layers: LayerPair[] = [
    ...answer.one.layers.map((layer) => ({ layer, where: second?.has(layer.digest) ? "both" : "one" }) as const),
    ...answer.other.layers
      .filter(({ digest }) => !first?.has(digest))
      .map((layer) => ({ layer, where: "other" }) as const),
  ];
  const size = (where: LayerPair["where"]) =>
    layers.filter((pair) => pair.where === where).reduce((sum, { layer }) => sum + layer.size, 0);
  const words = { both: "both", one: "only the one", other: "only the other" };
  return h(Fragment, {}, [
    h(Facts, {
      facts: [
        ["One", h("a", { href: addressOf("images", one) }, answer.one.name)],
        ["Other", h("a", { href: addressOf("images", other) }, answer.other.name)],
        ["In both", formatBytes(size("both"))],
        ["Only in the one", formatBytes(size("one"))],
        ["Only in the other", formatBytes(size("other"))],
      ],
    }),
    h("h2", {}, "Layers"),
    h(Table<LayerPair>, {
      label: "Layers",
      rows: layers,
      keyOf: ({ layer: { digest } }) => digest,
      columns: [
        ["In", ({ where }) => words[where], "tight"],
        ["Layer", ({ layer: { comment } }) => comment || "(no comment)"],
        ["Size", ({ layer }) => formatBytes(layer.size), "number"],
        ["Digest", ({ layer: { digest } }) => h("span", { class: "code" }, digest)],
      ],
    }),
    h("h2", {}, "Files that differ in size"),
    answer.count > answer.files.length
      ? h("p", { class: "dim" }, `The ${answer.files.length} largest differences of ${answer.count}`)
      : null,
    h(Table<FileDifference>, {
      label: "Files that differ in size",
      rows: answer.files,
      none: "No file differs in size.",
      keyOf: ({ path }) => path,
      columns: [
        ["File", ({ path }) => h("span", { class: "code" }, path)],
        ["One", ({ before }) => (before === undefined ? "absent" : formatBytes(before)), "number"],
        ["Other", ({ after }) => (after === undefined ? "absent" : formatBytes(after)), "number"],
        [
          "Change",
          ({ before = 0, after = 0 }) => `${after < before ? "−" : "+"}${formatBytes(Math.abs(after - before))}`,
          "number",
        ],
      ],
    }),
  ]);
}

export function RegistryView(): ComponentChild {
  const { answer, problem } = useAnswer("registry", {});
  if (!answer) return h(Fragment, {}, h(Problem, { text: problem }), problem ? null : reading);
  const { host, size, repositories } = answer;
  if (repositories.length === 0) return h("p", { class: "dim" }, "The embedded registry has no images.");
  return h(Fragment, {}, [
    h(Facts, {
      facts: [
        ["Name", h("code", {}, host)],
        ["Size", `${formatBytes(size)} in ${repositories.length} repositories`],
      ],
    }),
    h("h2", {}, "Repositories"),
    h(Table<RepositoryLine>, {
      label: "Repositories",
      rows: repositories,
      keyOf: ({ name }) => name,
      columns: [
        ["Repository", ({ name }) => name],
        ["Tags", ({ tags }) => tags, "number"],
        ["Manifests", ({ manifests }) => manifests, "number"],
        ["Size", (repository) => formatBytes(repository.size), "number"],
        ["Shared with none", ({ own }) => formatBytes(own), "number"],
        ["Share", (repository) => h(Share, { part: repository.size, whole: size })],
      ],
    }),
  ]);
}
