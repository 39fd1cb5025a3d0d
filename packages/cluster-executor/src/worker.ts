/** What each worker of an engine runs. */
import { serveParent } from "@futures/process-executor/serve"
import process from "node:process"
import { locator, resolver } from "./code.ts"
import type { CodeOptions } from "./code.ts"
import { WORKER_VARIABLE } from "./engine/variable.ts"

const options = JSON.parse(process.env[WORKER_VARIABLE]!) as CodeOptions
delete process.env[WORKER_VARIABLE]
serveParent({ resolve: resolver(options), locate: locator(options.root) })
