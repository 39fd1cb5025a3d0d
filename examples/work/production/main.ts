// A service as it runs in production: bounded, with health checks and a log, and it ends in order.
//
//   node examples/work/production/main.ts &
//   curl localhost:3000/wait/1000 & curl localhost:3000/ready; kill %1

import { Executor } from "@futures/core"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { backend, backends } from "../../backends.ts"
import { compute, wait } from "./tasks.ts"

const log = (level: string, message: string): void => console.log(JSON.stringify({ level, message, pid: process.pid }))
process.on("warning", ({ message }) => log("warn", message))

const executor = Executor.open(backends, {
  backend,
  maxPending: 10,
  whenFull: "reject",
  onWorkerExit: ({ cause, reason, signal }) => {
    if (reason !== "stopped") log("error", `worker lost: ${signal ?? reason} ${cause ?? ""}`)
  }
})

let isEnding = false
const server = createServer(async (request, response) => {
  const [, what, millis] = request.url!.split("/")
  // Not through the executor: workers may be busy, and the service is alive all the same.
  if (what === "live") return response.end("live")
  if (what === "ready") return response.writeHead(isEnding || executor.stats().pending >= 10 ? 503 : 200).end()
  try {
    const result = String(await executor.run(what === "wait" ? wait : compute, Number(millis)))
    // A connection that is kept open would hold the end up.
    if (isEnding) response.setHeader("connection", "close")
    response.end(result)
  } catch (error) {
    log("error", String(error))
    response.writeHead(error instanceof Error && error.name === "QueueFullError" ? 503 : 500).end()
  }
})
server.listen(Number(process.env["PORT"] ?? 3000), () => {
  log("info", `listening on ${(server.address() as AddressInfo).port}`)
})

// A second SIGTERM ends the program at once: there is no listener any more. "disconnect" comes from a primary of node:cluster.
const signals = ["SIGTERM", "SIGINT", "disconnect"].map((event) => once(process, event).then(() => event))
const signal = await Promise.race(signals)
isEnding = true
log("info", `${signal}: finishing`)
server.close()
// Requests that run get their response; what they wait for has twenty seconds.
await Promise.all([once(server, "close"), executor.shutdown({ timeout: "20 seconds" })])
log("info", "ended")
