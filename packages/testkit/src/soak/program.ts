/**
 * The program of a soak: `node --expose-gc program.ts <what is asked, as JSON>`. It is a process of its own, so that whatever is left in it is the
 * executors'. What it finds it writes to stdout; it ends with code 1 when something is wrong.
 */
import type { ExecutorClass } from "@futures/core"
import type { Capability } from "../Subject.ts"
import { openCensor } from "./census.ts"
import { openAndClose } from "./openAndClose.ts"
import { soakFor } from "./soakFor.ts"

/** What a program is asked. */
export interface Asked {
  /** Where the executor is: the URL of a module, and the name under which it exports the class. */
  readonly module: string
  readonly name: string
  readonly abilities: ReadonlyArray<Capability>
  readonly seed: number
  /** How long to soak, in milliseconds; or how many executors to open and close. */
  readonly scene: { readonly soak: number } | { readonly executors: number }
}

const asked = JSON.parse(process.argv[2]!) as Asked
const exports = await import(asked.module) as Record<string, ExecutorClass>
const Executor = exports[asked.name]!

// Node makes these when they are first asked for.
void [process.stdin, process.stdout, process.stderr]
const censor = openCensor()
const { scene } = asked
const { lines, well } = "soak" in scene
  ? await soakFor(Executor, asked.abilities, scene.soak, asked.seed, censor)
  : await openAndClose(Executor, scene.executors, censor)
const report = `${lines.join("\n")}\n`
if (well) process.stdout.write(report)
// What went wrong may hold the process: a call, say, that nobody knows of and nobody stops.
else process.stdout.write(report, () => process.exit(1))
