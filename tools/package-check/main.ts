/**
 * Our packages as strangers get them: built, packed, installed by name into empty projects, and used there. Ends with a table, and with code 1 if
 * anything failed that is promised. `npx -y pnpm@12 package:check [words of the environments wanted]`.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { styleText } from "node:util"
import { endAll } from "./command.ts"
import { environments } from "./environments.ts"
import { inspect } from "./inspect.ts"
import { packAll } from "./pack.ts"
import { openRegistry } from "./registry.ts"
import { table } from "./table.ts"
import { tryOut } from "./tryOut.ts"
import type { Outcome, Verdict } from "./tryOut.ts"

const wordsOf = (text: string): ReadonlyArray<string> => text.toLowerCase().split(/[^\w.]+/)
const wanted = wordsOf(process.argv.slice(2).join(" ")).filter((word) => word !== "")
const chosen = environments.filter(({ name }) => wanted.every((word) => wordsOf(name).includes(word)))

const folder = mkdtempSync(join(tmpdir(), "futures-packages-"))
const cleanUp = (): void => {
  endAll()
  rmSync(folder, { recursive: true, force: true })
}
process.on("exit", cleanUp)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

const say = (text: string): void => console.log(text)
const colour = (verdict: Verdict): string =>
  verdict === "-" ? verdict : styleText(verdict === "ok" ? "green" : "red", verdict)

say("building and packing")
const packages = await packAll(folder)
const registry = await openRegistry(packages)

say("looking at the packages")
const inspections = []
for (const found of packages) inspections.push(await inspect(folder, registry.url, found))

const outcomes: Array<Outcome> = []
for (const [index, environment] of chosen.entries()) {
  say(`${index + 1}/${chosen.length} ${environment.name}`)
  outcomes.push(await tryOut(join(folder, `project-${index}`), registry.url, environment))
}
registry.close()

const hasFailed = ({ install, process, thread, types }: Outcome): boolean =>
  [install, thread, process, types].includes("failed")
for (const { complaints, environment } of outcomes) {
  for (const complaint of complaints) say(`\n--- ${environment.name}\n${complaint}`)
}
for (const { complaints, name } of inspections) {
  for (const complaint of complaints) say(`\n--- ${name}\n${complaint}`)
}
say(`\n${
  table(
    ["package", "tarball", "installed, with what it needs", "packages", "publint", "types"],
    inspections.map((found) => [
      found.name,
      `${(found.tarball / 1024).toFixed(0)} KiB`,
      `${(found.installed / 1024 / 1024).toFixed(1)} MiB`,
      String(found.dependencies),
      colour(found.publint),
      colour(found.attw)
    ])
  )
}`)
say(`\n${
  table(
    ["environment", "install", "thread", "process", "types"],
    outcomes.map((outcome) => [
      `${outcome.environment.name}${outcome.environment.isTried ? " (tried, not promised)" : ""}`,
      ...[outcome.install, outcome.thread, outcome.process, outcome.types].map(colour)
    ])
  )
}`)

const isBroken = inspections.some(({ complaints }) => complaints.length > 0) ||
  outcomes.some((outcome) => hasFailed(outcome) && outcome.environment.isTried !== true)
process.exitCode = isBroken || chosen.length === 0 ? 1 : 0
