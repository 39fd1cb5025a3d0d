/** Flags are split as Node splits them: compared with the options that the running Node declares. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { flagsOf, inheritedExecArgv, nameOf } from "../../src/engine/execArgv.ts"

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

const runNode = (...args: ReadonlyArray<string>): unknown =>
  JSON.parse(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout)

const flags = runNode("--expose-internals", "--no-warnings", fixture("listFlags.cjs")) as ReadonlyArray<
  readonly [name: string, takesValue: boolean]
>
const valued = flags.filter(([, takesValue]) => takesValue).map(([name]) => name)

test("Node declares flags with and without a value", () => {
  expect(flags.length).toBeGreaterThan(150)
  expect(valued).toEqual(expect.arrayContaining(["--import", "-r", "--title", "--test-timeout", "--secure-heap"]))
})

test("Every flag of this Node stays together with its value, in both forms", () => {
  for (const [name, takesValue] of flags) {
    const forms: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]> = !takesValue
      ? [[name]]
      : name.startsWith("--")
      ? [[name, "value"], [name, ""], [`${name}=value`]]
      : [[name, "value"]]
    for (const form of forms) {
      expect(flagsOf(["--before", ...form, "--after", "1"])).toEqual([["--before"], form, ["--after", "1"]])
      expect(nameOf(form)).toBe(name)
    }
  }
})

test("Node itself takes the next argument as the value where a flag is declared to have one", () => {
  for (const name of ["--title", "--conditions", "-C", "-r", "--disable-warning", "--no-warnings"]) {
    const flag = name === "--no-warnings" || !valued.includes(name) ? [name] : [name, "node:fs"]
    const args = [...flag, "--no-deprecation"]
    expect(runNode(...args, fixture("execArgv.cjs"), "end")).toEqual({ execArgv: args, argv: ["end"] })
    expect(flagsOf(args)).toEqual([flag, ["--no-deprecation"]])
  }
})

const own =
  /^(-[epci]|-pe|--(eval|print|check|interactive|input-type|entry-url|run|prof-process|title|watch.*|test.*))$/

test("Flags of the parent's own run are removed with their value, in both forms, and all others are kept", () => {
  const before = process.execArgv
  onTestFinished(() => {
    process.execArgv = before
  })
  const condition = "--conditions=futures-worker"
  const inherited = (...execArgv: Array<string>): ReadonlyArray<string> => {
    process.execArgv = execArgv
    return inheritedExecArgv()
  }
  const removed: Array<string> = []
  for (const [name, takesValue] of flags) {
    const forms = takesValue ? [[name, "value"], ...(name.startsWith("--") ? [[`${name}=value`]] : [])] : [[name]]
    const kept = forms.map((form) => inherited("--import", "a", ...form, "--no-warnings"))
    const isRemoved = kept[0]!.length === 4
    if (isRemoved) removed.push(name)
    for (const [index, list] of kept.entries()) {
      const form = isRemoved ? [] : forms[index]!
      expect(list).toEqual(["--import", "a", ...form, "--no-warnings", condition])
    }
    if (own.test(name)) expect(removed).toContain(name)
  }
  expect(removed).toEqual(expect.arrayContaining(["--inspect", "--inspect-brk", "--inspect-port", "--env-file"]))
  for (const name of ["--import", "-r", "--require", "--conditions", "--permission", "--allow-fs-read", "--cpu-prof"]) {
    expect(removed).not.toContain(name)
  }
})

test("Underscores, and names that only begin like a flag of the parent", () => {
  expect(nameOf(["--inspect_brk=0"])).toBe("--inspect-brk")
  expect(nameOf(["--max_old_space_size=10"])).toBe("--max-old-space-size")
  expect(nameOf(["-r", "a_b"])).toBe("-r")
})
