/// <reference lib="dom" />
import { type ComponentChild, h, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { takeToken } from "./api.ts";
import { DiffView, ImagesView, ImageView, RegistryView } from "./images.ts";
import { JobView } from "./job.ts";
import { RunView } from "./run.ts";
import { RunsView } from "./runs.ts";
import { ServicesView, ServiceView } from "./services.ts";
import { TreePage } from "./tree.ts";

const sections = { runs: "Runs", services: "Services", images: "Images", registry: "Registry" } as const;

/** Takes an address such as `#/runs/ID`. */
function viewOf(words: readonly string[]): readonly [title: string, view: ComponentChild] {
  const [section = "", name = "", other = ""] = words;
  if (section === "runs" && name !== "") return [`Run ${name}`, h(RunView, { id: name, key: name })];
  if (section === "jobs" && name !== "") return [`Job ${name}`, h(JobView, { id: name, key: name })];
  if (section === "services" && name !== "") return [`Service ${name}`, h(ServiceView, { name, key: name })];
  if (section === "services") return ["Services", h(ServicesView, {})];
  if (section === "images" && name !== "") return [`Image ${name}`, h(ImageView, { name, key: name })];
  if (section === "images") return ["Images", h(ImagesView, {})];
  if (section === "diff")
    return ["Difference of two images", h(DiffView, { one: name, other, key: `${name} ${other}` })];
  if (section === "registry") return ["Registry", h(RegistryView, {})];
  return ["Runs", h(RunsView, {})];
}

/** Somebody else may have written the address. */
function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

function Page(): ComponentChild {
  const [hash, setHash] = useState(location.hash);
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    const onChange = () => {
      takeToken();
      setHash(location.hash);
      // A screen reader goes on with the new view.
      main.current?.focus();
    };
    addEventListener("hashchange", onChange);
    return () => removeEventListener("hashchange", onChange);
  }, []);
  const words = hash.replace(/^#\/?/, "").split("/").map(decoded);
  const [title, view] = viewOf(words);
  const current = { jobs: "runs", diff: "images" }[words[0] ?? ""] ?? (words[0] || "runs");
  useEffect(() => {
    document.title = `${title} – Slipway`;
  }, [title]);
  return h("div", {}, [
    h("header", { class: "top" }, [
      h(
        "a",
        {
          class: "skip",
          href: hash || "#/runs",
          onClick: (event: Event) => {
            event.preventDefault();
            main.current?.focus();
          },
        },
        ["Skip to the content"],
      ),
      h("b", {}, "Slipway"),
      h(
        "nav",
        { class: "top", "aria-label": "Views" },
        Object.entries(sections).map(([section, text]) =>
          h(
            "a",
            { key: section, href: `#/${section}`, "aria-current": section === current ? "page" : undefined },
            text,
          ),
        ),
      ),
    ]),
    h("main", { ref: main, tabIndex: -1 }, h("h1", {}, title), view),
  ]);
}

const file = document.querySelector("#image")?.textContent;
if (file) render(h(TreePage, { answer: JSON.parse(file) }), document.body);
else {
  takeToken();
  render(h(Page, {}), document.body);
}
