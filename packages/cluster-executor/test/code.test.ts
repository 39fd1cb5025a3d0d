/** Which code an engine runs: the caller's, or none. */
import { fc, test as property } from "@fast-check/vitest"
import { Task, TaskNotFoundError } from "@futures/core"
import assert from "node:assert/strict"
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { pathToFileURL } from "node:url"
import { test } from "vitest"
import { locator, resolver } from "../src/code.ts"
import { folder, start } from "./bench.ts"

/** Writes files below a folder. */
const write = (root: string, files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

const urlOf = (root: string, path: string): URL => pathToFileURL(join(root, path))

/** What travels: the text of an error says it to people. */
const located = (root: string, path: string): string => locator(root)(urlOf(root, path).href)

/** How a module names another, and whether that is loaded with it. */
const forms: ReadonlyArray<readonly [loads: boolean, (specifier: string) => string]> = [
  [true, (specifier) => `import ${JSON.stringify(specifier)}`],
  [true, (specifier) => `import * as all from "${specifier}"\nvoid all`],
  [true, (specifier) => `import {\n  one, // import "./none.js"\n  type Two\n} from '${specifier}'\nvoid one`],
  [true, (specifier) => `import type from "${specifier}"\nvoid type`],
  [true, (specifier) => `export * from "${specifier}?with=query#and-hash"`],
  [true, (specifier) => `export { one as two } from "${specifier}"`],
  [true, (specifier) => `import { one as three } from "${specifier}"\nexport const half = three! / 2, third = "/"`],
  [false, (specifier) => `import type { One } from "${specifier}"`],
  [false, (specifier) => `export type { Two } from "${specifier}"`],
  [false, (specifier) => `// import "${specifier}"`],
  [false, (specifier) => `const text = \`an example: import x from "${specifier}"\``]
]

interface Graph {
  readonly files: ReadonlyArray<{
    readonly path: string
    readonly edges: ReadonlyArray<{ readonly to: number; readonly form: number }>
  }>
}

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 8 }).chain((count) =>
  fc.record({
    files: fc.tuple(
      ...Array.from({ length: count }, (_, index) =>
        fc.record({
          path: fc.tuple(fc.constantFrom("", "lib/", "lib/deep/", "été %/"), fc.constantFrom(".ts", ".mts", ".tsx"))
            .map(([place, end]) => `${place}m${index}${end}`),
          edges: fc.array(
            fc.record({ to: fc.nat(count - 1), form: fc.nat(forms.length - 1) }),
            { maxLength: 3 }
          )
        }))
    )
  })
)

const textsOf = ({ files }: Graph): Record<string, string> =>
  Object.fromEntries(files.map(({ edges, path }, index) => {
    const lines = edges.map(({ form, to }) => {
      const below = posix.relative(posix.dirname(path), files[to]!.path)
      const specifier = encodeURI(below.startsWith(".") ? below : `./${below}`)
      return forms[form]![1](specifier)
    })
    return [path, `${lines.join("\n")}\nexport const one = ${index}\n`]
  }))

/** What is loaded with the first file. */
const reachable = ({ files }: Graph): Set<number> => {
  const found = new Set([0])
  for (const index of found) {
    for (const { form, to } of files[index]!.edges) if (forms[form]![0]) found.add(to)
  }
  return found
}

property.prop([graphs, fc.nat(7), fc.constantFrom("changed", "removed")], { numRuns: 300 })(
  "Whatever changes in a file changes a module's version when it is loaded with the module, and only then",
  (graph, at, what) => {
    const root = folder()
    const texts = textsOf(graph)
    write(root, texts)
    const [entry] = graph.files
    const before = located(root, entry!.path)
    assert.equal(located(root, entry!.path), before)
    const index = at % graph.files.length
    const { path } = graph.files[index]!
    if (what === "changed") writeFileSync(join(root, path), `${texts[path]}// changed\n`)
    else rmSync(join(root, path))
    assert.equal(located(root, entry!.path) !== before, reachable(graph).has(index))
  }
)

property.prop([graphs], { numRuns: 50 })(
  "The version is the same wherever the files lie, also behind symbolic links, and each leads to the caller's module there",
  (graph) => {
    const [mine, theirs] = [folder(), folder()]
    write(mine, textsOf(graph))
    write(join(theirs, "releases/2"), textsOf(graph))
    symlinkSync(join(theirs, "releases/2"), join(theirs, "current"))
    const { path } = graph.files[0]!
    const resolve = resolver({ root: join(theirs, "current"), textModules: false, engine: "e" })
    assert.equal(located(join(theirs, "current"), path), located(mine, path))
    assert.equal(resolve(located(mine, path), "one"), urlOf(join(theirs, "releases/2"), path).href)
  }
)

test("What is named without its end, or by the end that it will have, is found as tsx finds it", () => {
  const root = folder()
  write(root, {
    "tasks.ts": `import "./a"\nimport "./b.js"\nimport "./c"\n`,
    "a.ts": "1",
    "b.ts": "1",
    "c/index.ts": "1",
    "unused.ts": "1"
  })
  const versions = new Set([located(root, "tasks.ts")])
  for (const path of ["a.ts", "b.ts", "c/index.ts"]) {
    write(root, { [path]: "22" })
    versions.add(located(root, "tasks.ts"))
  }
  assert.equal(versions.size, 4)
  write(root, { "unused.ts": "22" })
  assert.ok(versions.has(located(root, "tasks.ts")))
})

/** A task module that imports another, which says that it was loaded. */
const program = (tag: string, ran: string): Record<string, string> => ({
  "lib/code.mjs": `import { tag } from "./deep/tag.mjs"\nexport const say = () => tag\n`,
  "lib/deep/tag.mjs": `import { appendFileSync } from "node:fs"\nappendFileSync(${
    JSON.stringify(ran)
  }, "loaded")\nexport const tag = ${JSON.stringify(tag)}\n`
})

test("An engine where an imported module is another refuses the call, naming both versions, before it runs anything", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const [mine, theirs] = [folder(), folder()]
  const ran = join(theirs, "ran")
  write(mine, program("mine", ran))
  write(theirs, program("theirs", ran))
  const { say } = Task.from<{ say: () => string }>(urlOf(mine, "lib/code.mjs"))
  const engine = await cluster.addEngine({ root: theirs })
  const executor = cluster.executor({ engine: engine.id, root: mine })
  const refused = await executor.submit(say).exception()
  assert.ok(refused instanceof TaskNotFoundError, String(refused))
  const [, caller, here] =
    /the caller has version ([0-9a-f]{16}) of lib\/code\.mjs, this engine ([0-9a-f]{16}) \(.*code\.mjs and the file that it imports\)/
      .exec(refused.message) ?? assert.fail(refused.message)
  assert.notEqual(caller, here)
  assert.equal(refused.module, urlOf(theirs, "lib/code.mjs").href)
  assert.ok(!existsSync(ran))
  // Somebody deploys it, and nothing has to be started again.
  cpSync(join(mine, "lib"), join(theirs, "lib"), { recursive: true })
  assert.equal(await executor.run(say), "mine")
})

test("A worker goes on with the code that it has loaded, and refuses what needs other code; the next one has it", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const root = folder()
  write(root, {
    "a.mjs": `import { tag } from "./tag.mjs"\nexport const say = () => tag`,
    "b.mjs": `import { tag } from "./tag.mjs"\nexport const say = () => tag`,
    "tag.mjs": `export const tag = "old"`
  })
  const [a, b] = ["a.mjs", "b.mjs"].map((path) => Task.from<{ say: () => string }>(urlOf(root, path)).say)
  const engine = await cluster.addEngine({ root })
  const options = { engine: engine.id, root }
  const before = cluster.executor(options)
  assert.equal(await before.run(a!), "old")
  write(root, { "tag.mjs": `export const tag = "newer"` })
  assert.equal(await before.run(a!), "old")
  const refused = await before.submit(b!).exception()
  assert.match(String(refused), /its code differs: .* as its worker has loaded them before/)
  await before.shutdown()
  const after = cluster.executor(options)
  assert.deepEqual([await after.run(a!), await after.run(b!)], ["newer", "newer"])
})

/** A package as it is installed. */
const install = (at: string, version: string, tag = version): void =>
  write(at, {
    "package.json": JSON.stringify({ name: "@acme/tasks", version, type: "module" }),
    "dist/index.js": `export const say = () => ${JSON.stringify(tag)}\n`
  })

test("A module of a package is known by the package's name and version, wherever that lies", async () => {
  const cluster = await start({ engines: 1, slots: 1 })
  const [mine, theirs] = [folder(), folder()]
  const linked = join(mine, "node_modules/.store/acme/node_modules/@acme/tasks")
  install(linked, "1.2.3")
  const { say } = Task.from<{ say: () => string }>(urlOf(linked, "dist/index.js"))
  const engine = await cluster.addEngine({ root: join(theirs, "app") })
  const executor = cluster.executor({ engine: engine.id, root: mine })
  assert.match(String(await executor.submit(say).exception()), /the caller has @acme\/tasks@1\.2\.3, .*no such package/)
  // Above the root is where modules of the root would find it, too.
  const installed = join(theirs, "node_modules/@acme/tasks")
  install(installed, "1.3.0")
  const refused = await executor.submit(say).exception()
  assert.ok(refused instanceof TaskNotFoundError)
  assert.ok(
    refused.message.endsWith(
      `its code differs: the caller has @acme/tasks@1.2.3, this engine @acme/tasks@1.3.0 (${installed})`
    ),
    refused.message
  )
  install(installed, "1.2.3", "theirs")
  assert.equal(await executor.run(say), "theirs")
})

test("Names that lead out of the root or of a package are refused", () => {
  const root = folder()
  write(root, { "app/node_modules/a/package.json": `{ "version": "1" }`, "secret/package.json": `{ "version": "1" }` })
  const resolve = resolver({ root: join(root, "app"), textModules: false, engine: "e" })
  for (
    const module of [
      "futures:absent/../secret/x.js",
      "futures:absent/..%2Fsecret/x.js",
      "futures:",
      "futures-package:a@1:../../../secret/x.js?",
      "futures-package:a@1:..%2F..%2F..%2Fsecret/x.js?",
      "futures-package:../../secret@1:x.js?",
      "futures-package:secret@1:x.js?../secret",
      "futures-package:secret@1:x.js?secret",
      "futures-package:a",
      "file:///etc/evil.js"
    ]
  ) {
    assert.throws(() => resolve(module, "evil"), TaskNotFoundError, module)
  }
  assert.equal(resolve("futures-package:a@1:x.js?", "t"), urlOf(root, "app/node_modules/a/x.js").href)
})

test("A file that is not there is named with both roots, and one outside of the root with the caller's", () => {
  const [mine, theirs] = [folder(), folder()]
  write(mine, { "lib/code.mjs": "export const one = 1" })
  const resolve = resolver({ root: theirs, callerRoot: mine, textModules: false, engine: "engine" })
  const error = (module: string): string => {
    try {
      return resolve(module, "one")
    } catch (cause) {
      assert.ok(cause instanceof TaskNotFoundError)
      return cause.message
    }
  }
  const missing = error(located(mine, "lib/code.mjs"))
  assert.match(missing, /has no file lib\/code\.mjs below its code root/)
  for (const part of [mine, theirs, "option root", "--root"]) assert.ok(missing.includes(part), missing)
  assert.ok(!missing.includes("differs"))
  const outside = error(locator(theirs)(urlOf(mine, "lib/code.mjs").href))
  assert.ok(outside.includes(mine) && outside.includes("option root"), outside)
  // Where no option says which root, a module of another folder is found there.
  assert.equal(locator(theirs, mine)(urlOf(mine, "lib/code.mjs").href), located(mine, "lib/code.mjs"))
})
