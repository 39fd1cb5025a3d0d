/**
 * A caller that can be stopped: `program.ts <module of the executor> <its name> <operation> <stage as JSON>`. It performs the operation, and prints what
 * came of it as JSON.
 */
import type { ExecutorClass } from "@futures/core"
import { operations, perform } from "./operations.ts"

const [, , module, name, operationName, stage] = process.argv
const exports = await import(module!) as Record<string, ExecutorClass>
const Executor = exports[name!]!
const operation = operations.find((each) => each.name === operationName)!

const performed = await perform(
  operation,
  { ...JSON.parse(stage!), onResult: () => {} },
  (options) => new Executor(options)
)
process.stdout.write(JSON.stringify(performed))
