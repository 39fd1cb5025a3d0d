/** What each worker of an engine runs. */
import { serveParent } from "@futures/process-executor/serve"
import process from "node:process"
import { locator, resolver } from "./code.ts"
import type { CodeOptions } from "./code.ts"
import { END_IF_IDLE, WORKER_VARIABLE } from "./engine/variable.ts"

const options = JSON.parse(process.env[WORKER_VARIABLE]!) as CodeOptions
delete process.env[WORKER_VARIABLE]
const served = serveParent({ resolve: resolver(options), locate: locator(options.root) })
// Sent by the engine while the broker is away: the executor cannot end idle workers then.
process.on(END_IF_IDLE, () => served.endIfIdle())
