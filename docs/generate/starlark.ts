import { code, sections, table } from "./markdown.ts";
import { type Message, messagesOf, textOf } from "./text-proto.ts";

/** What a user calls the types of attributes. */
const types: Readonly<Record<string, string>> = {
  BOOLEAN: "boolean",
  INT: "integer",
  INT_LIST: "list of integers",
  LABEL: "label",
  LABEL_DICT_UNARY: "dict of string to label",
  LABEL_LIST: "list of labels",
  LABEL_STRING_DICT: "dict of label to string",
  NAME: "name",
  OUTPUT: "label of an output",
  OUTPUT_LIST: "list of labels of outputs",
  STRING: "string",
  STRING_DICT: "dict of string to string",
  STRING_LIST: "list of strings",
  STRING_LIST_DICT: "dict of string to list of strings",
};

/** An attribute that Bazel gives every repository rule. */
const ofEveryRepository = "repo_mapping";

/**
 * The page of one .bzl file.
 *
 * @param path of the file in the repository
 * @param module a `stardoc_output.ModuleInfo`
 */
export function starlarkPage(path: string, module: Message): string {
  const [folder, file] = [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
  const symbols = [
    ...messagesOf(module, "func_info").map(functionSection),
    ...messagesOf(module, "rule_info").map((rule) => ruleSection(rule, "rule")),
    ...messagesOf(module, "provider_info").map(providerSection),
    ...messagesOf(module, "repository_rule_info").map((rule) => ruleSection(rule, "repository rule")),
    ...messagesOf(module, "module_extension_info").map(extensionSection),
  ];
  return sections(
    `# \`@slipway//${folder}:${file}\``,
    textOf(module, "module_docstring"),
    ...symbols.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ text }) => text),
  );
}

function ruleSection(rule: Message, kind: string) {
  const name = textOf(rule, "rule_name");
  const executable = textOf(rule, "executable") === "true" ? ", executable" : "";
  const environ = (rule.get("environ") ?? []).map((variable) => `\`${variable}\``);
  return {
    name,
    text: sections(
      `## ${name}`,
      `*${kind}${executable}*`,
      textOf(rule, "doc_string"),
      attributeTable(rule),
      environ.length > 0 ? `Environment: ${environ.join(", ")}.` : "",
    ),
  };
}

function defaultOf(argument: Message): string {
  return textOf(argument, "mandatory") === "true" ? "required" : code(textOf(argument, "default_value"));
}

function attributeTable(owner: Message): string {
  const own = messagesOf(owner, "attribute").filter((attribute) => textOf(attribute, "name") !== ofEveryRepository);
  const rows = own.map((attribute) => {
    const values = (attribute.get("values") ?? []).map((value) => `\`${value}\``);
    return [
      code(textOf(attribute, "name")),
      types[textOf(attribute, "type")] ?? textOf(attribute, "type"),
      defaultOf(attribute),
      `${textOf(attribute, "doc_string")}${values.length > 0 ? ` One of ${values.join(", ")}.` : ""}`,
    ];
  });
  return table(["attribute", "type", "default", ""], rows);
}

function functionSection(info: Message) {
  const name = textOf(info, "function_name");
  const rows = messagesOf(info, "parameter").map((parameter) => [
    code(textOf(parameter, "name")),
    defaultOf(parameter),
    textOf(parameter, "doc_string"),
  ]);
  const [returned] = messagesOf(info, "return");
  return {
    name,
    text: sections(
      `## ${name}`,
      "*macro*",
      textOf(info, "doc_string"),
      table(["argument", "default", ""], rows),
      returned ? `Returns ${textOf(returned, "doc_string")}` : "",
    ),
  };
}

function providerSection(info: Message) {
  const name = textOf(info, "provider_name");
  const rows = messagesOf(info, "field_info").map((field) => [
    code(textOf(field, "name")),
    textOf(field, "doc_string"),
  ]);
  return {
    name,
    text: sections(`## ${name}`, "*provider*", textOf(info, "doc_string"), table(["field", ""], rows)),
  };
}

function extensionSection(info: Message) {
  const name = textOf(info, "extension_name");
  const tags = messagesOf(info, "tag_class").map((tag) =>
    sections(`### ${name}.${textOf(tag, "tag_name")}`, textOf(tag, "doc_string"), attributeTable(tag)),
  );
  return { name, text: sections(`## ${name}`, "*module extension*", textOf(info, "doc_string"), ...tags) };
}
