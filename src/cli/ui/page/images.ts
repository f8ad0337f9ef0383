/// <reference lib="dom" />
import { type ComponentChild, Fragment, h, type TargetedSubmitEvent } from "preact";
import { formatBytes } from "../../../config/quantity.ts";
import type { Answers, FileDifference, LayerLine, RepositoryLine } from "../messages.ts";
import { get, useAnswer } from "./api.ts";
import { Facts, Problem, Table } from "./parts.ts";
import { TreeView } from "./tree.ts";

type ListedImage = Answers["images"][number];

const reading = h("p", { class: "dim", role: "status" }, "Reading…");
const addressOf = (...words: readonly string[]) => `#/${words.map(encodeURIComponent).join("/")}`;

/** A form with names of images, which leads to another view. Their registries may be asked, since the user wrote them. */
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
    answer === undefined || (answer.length > 0 && registry === undefined)
      ? problem
        ? null
        : reading
      : answer.length === 0
        ? h("p", { class: "dim" }, "The embedded registry has no images.")
        : h(Table<ListedImage>, {
            label: "Images in the embedded registry",
            rows: answer,
            keyOf: nameOf,
            columns: [
              {
                title: "Image",
                cell: (image) =>
                  h("a", { href: addressOf("images", nameOf(image)) }, [
                    `${image.repository}${image.tag === undefined ? "" : `:${image.tag}`}`,
                  ]),
              },
              { title: "Digest", cell: ({ digest }) => h("span", { class: "code" }, digest) },
              { title: "Size", kind: "number", cell: ({ size }) => formatBytes(size) },
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
        { title: "Layer", cell: ({ comment }) => comment || "(no comment)" },
        { title: "Size", kind: "number", cell: (layer) => formatBytes(layer.size) },
        { title: "Share", cell: (layer) => h(Share, { part: layer.size, whole: size }) },
        { title: "Digest", cell: ({ digest }) => h("span", { class: "code" }, digest) },
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
        { title: "In", kind: "tight", cell: ({ where }) => words[where] },
        { title: "Layer", cell: ({ layer: { comment } }) => comment || "(no comment)" },
        { title: "Size", kind: "number", cell: ({ layer }) => formatBytes(layer.size) },
        { title: "Digest", cell: ({ layer: { digest } }) => h("span", { class: "code" }, digest) },
      ],
    }),
    h("h2", {}, "Files that differ in size"),
    answer.count > answer.files.length
      ? h("p", { class: "dim" }, `The ${answer.files.length} largest differences of ${answer.count}`)
      : null,
    answer.count === 0
      ? h("p", { class: "dim" }, "No file differs in size.")
      : h(Table<FileDifference>, {
          label: "Files that differ in size",
          rows: answer.files,
          keyOf: ({ path }) => path,
          columns: [
            { title: "File", cell: ({ path }) => h("span", { class: "code" }, path) },
            {
              title: "One",
              kind: "number",
              cell: ({ before }) => (before === undefined ? "absent" : formatBytes(before)),
            },
            {
              title: "Other",
              kind: "number",
              cell: ({ after }) => (after === undefined ? "absent" : formatBytes(after)),
            },
            {
              title: "Change",
              kind: "number",
              cell: ({ before = 0, after = 0 }) =>
                `${after < before ? "−" : "+"}${formatBytes(Math.abs(after - before))}`,
            },
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
        { title: "Repository", cell: ({ name }) => name },
        { title: "Tags", kind: "number", cell: ({ tags }) => tags },
        { title: "Manifests", kind: "number", cell: ({ manifests }) => manifests },
        { title: "Size", kind: "number", cell: (repository) => formatBytes(repository.size) },
        { title: "Shared with none", kind: "number", cell: ({ own }) => formatBytes(own) },
        { title: "Share", cell: (repository) => h(Share, { part: repository.size, whole: size }) },
      ],
    }),
  ]);
}
