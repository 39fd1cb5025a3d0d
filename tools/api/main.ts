/**
 * The API reference, `docs/api`, from the doc comments of all that the packages export. A public name without a doc comment, or a link that leads
 * nowhere, is an error. `--check` writes nothing, and fails as well when the pages are not what the comments say.
 *
 * TypeDoc needs a TypeScript that has a compiler API, so it brings one of its own.
 */
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Application, LogLevel, ReflectionKind } from "typedoc"
import type { Reflection } from "typedoc"

const root = new URL("../..", import.meta.url).pathname
const pages = join(root, "docs/api")

/** The modules that can be imported, by file. Entries of workers are for nobody to import. */
const specifiers = new Map<string, string>()
for (const manifest of globSync("packages/*/package.json", { cwd: root }).toSorted()) {
  const { exports, name, private: isPrivate } = JSON.parse(readFileSync(join(root, manifest), "utf8"))
  if (isPrivate === true) continue
  for (const [path, target] of Object.entries<string | null | { readonly default: string }>(exports)) {
    const file = typeof target === "string" ? target : target?.default
    if (file?.endsWith(".ts") !== true || file.endsWith("/worker.ts")) continue
    specifiers.set(join(root, manifest, "..", file), join(name, path))
  }
}

const out = mkdtempSync(join(tmpdir(), "futures-api-"))
process.on("exit", () => rmSync(out, { recursive: true, force: true }))

const application = await Application.bootstrapWithPlugins(
  {
    name: "API",
    outputs: [{ name: "markdown", path: out }],
    plugin: ["typedoc-plugin-markdown"],
    tsconfig: new URL("tsconfig.json", import.meta.url).pathname,
    basePath: root,
    entryPoints: [...specifiers.keys()],
    readme: "none",
    logLevel: LogLevel.Warn,
    disableSources: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    gitRevision: "main",
    packagesRequiringDocumentation: [...new Set([...specifiers.values()].map((name) => name.split("/", 2).join("/")))],
    validation: {
      invalidLink: true,
      notDocumented: true,
      notExported: false,
      rewrittenLink: false,
      unusedMergeModuleWith: false
    },
    // Of typedoc-plugin-markdown.
    router: "module",
    hideBreadcrumbs: true,
    hidePageHeader: true,
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    typeDeclarationFormat: "table",
    // What stands in a fence is an example, and is type-checked.
    useCodeBlocks: false
  } as Parameters<typeof Application.bootstrapWithPlugins>[0]
)

const entryPoints = application.getEntryPoints() ?? []
for (const entry of entryPoints) entry.displayName = specifiers.get(entry.sourceFile.fileName) ?? entry.displayName
const project = application.converter.convert(entryPoints)
// The fields of an object type without a name are explained where it is used. TypeDoc leaves out those of parameters by itself.
const isNameless = ({ parent }: Reflection): boolean =>
  parent?.kind === ReflectionKind.TypeLiteral &&
  !parent.parent!.kindOf([ReflectionKind.Variable, ReflectionKind.Parameter])
const nameless = project.getReflectionsByKind(ReflectionKind.Property).filter((field) =>
  isNameless(field) && !field.hasComment()
)
application.options.setValue("intentionallyNotDocumented", [
  ...new Set(nameless.map((field) => field.getFriendlyFullName()))
])
application.validate(project)
await application.generateOutputs(project)
if (application.logger.hasErrors() || application.logger.hasWarnings() || entryPoints.length === 0) process.exit(1)

const read = (folder: string): ReadonlyMap<string, string> =>
  new Map(globSync("**/*.md", { cwd: folder }).map((page) => [page, readFileSync(join(folder, page), "utf8")]))

if (process.argv.includes("--check")) {
  const [written, kept] = [read(out), read(pages)]
  const stale = [...new Set([...written.keys(), ...kept.keys()])].filter((page) => written.get(page) !== kept.get(page))
  if (stale.length > 0) {
    console.error(
      `Not what the doc comments say: ${
        stale.map((page) => `docs/api/${page}`).join(", ")
      }. Run \`npx -y pnpm@12 fix\`.`
    )
    process.exit(1)
  }
} else {
  rmSync(pages, { recursive: true, force: true })
  cpSync(out, pages, { recursive: true })
}
