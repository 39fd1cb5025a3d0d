// An HTTP endpoint that computes, and stays responsive meanwhile.
//
//   node examples/work/http/main.ts &
//   curl localhost:3000/primes/5000000 & curl localhost:3000/health

import { Executor } from "@futures/core"
import { serve } from "@hono/node-server"
import { once } from "node:events"
import { backend, backends } from "../../backends.ts"
import { app } from "./app.ts"

// A loop does not hear that it is to stop: after a tenth of a second its worker is ended, and replaced when it is needed.
await using executor = Executor.open(backends, { backend, maxPending: 100, whenFull: "reject", grace: "100 millis" })

const server = serve({ fetch: app(executor).fetch, port: Number(process.env["PORT"] ?? 3000) }, ({ port }) => {
  console.log(`listening on http://localhost:${port}`)
})

await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")])
server.close()
