// Imports with `{ type: "text" }`: esbuild puts the file's text into the bundle.

declare module "*.sh" {
  const text: string;
  export default text;
}

declare module "*.tmpl" {
  const text: string;
  export default text;
}

declare module "*/.bazelversion" {
  const text: string;
  export default text;
}

declare module "*/MODULE.bazel" {
  const text: string;
  export default text;
}

declare module "*/pnpm-lock.yaml" {
  const text: string;
  export default text;
}

declare module "*/tools/bazel" {
  const text: string;
  export default text;
}

declare module "*/truststore.mjs" {
  const text: string;
  export default text;
}
