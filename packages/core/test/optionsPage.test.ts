/** `docs/options.md` and the code know the same options. */
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { resolveOptions, textOptions, variableOf } from "../src/options.ts"

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8")

/** The rows of each table, cell by cell. */
const [ofExecutor, ofTask, ofMap, ofCluster] = read("../../../docs/options.md").split(/^## /m).slice(1).map((section) =>
  section.split("\n").filter((line) => line.startsWith("| `")).map((line) =>
    line.slice(1, -1).split("|").map((cell) => cell.trim())
  )
)

const nameIn = ([cell]: ReadonlyArray<string>): string => cell!.replaceAll("`", "")

const resolved = resolveOptions({}, { name: "the backend's", defaultMaxWorkers: 1 })

test("The page has a row for every option of an executor, in the order of the code", () => {
  expect(ofExecutor!.map(nameIn)).toEqual(Object.keys(resolved))
})

test.for(ofExecutor!)("%s has its default and its variable", ([name, byDefault, , variable]) => {
  const option = nameIn([name!]) as keyof typeof resolved
  const found = resolved[option]
  const expected = option === "maxWorkers"
    ? `\`availableParallelism()\`; inline: ${found}`
    : option === "name"
    ? found
    : found === undefined
    ? "none"
    : `\`${found === Infinity ? "Infinity" : JSON.stringify(found)}\``
  expect(byDefault).toBe(expected)
  expect(variable).toBe(textOptions.includes(option) ? `\`${variableOf(option)}\`` : "")
})

/** The options that an interface declares, in its order. */
const declaredIn = (path: string, name: string): Array<string> => {
  const [, body] = new RegExp(`interface ${name} (?:extends \\w+ )?\\{\n(.*?)\n\\}`, "s").exec(read(path))!
  return [...body!.matchAll(/readonly (\w+)\?:/g)].map(([, option]) => option!)
}

test("The page has a row for every option of a task, in the order of the code", () => {
  expect(ofTask!.map(nameIn)).toEqual(declaredIn("../src/Task.ts", "TaskOptions"))
})

test("The page has a row for every option of a map, in the order of the code", () => {
  expect(ofMap!.map(nameIn)).toEqual(declaredIn("../src/engine/mapOptions.ts", "MapOptions"))
})

test("The page has a row for every option of an executor on a cluster, in the order of the code", () => {
  const options = declaredIn("../../cluster-executor/src/ClusterExecutor.ts", "ClusterExecutorOptions")
  expect(ofCluster!.map(nameIn)).toEqual(options)
})
