import { QueueFullError, Task } from "@futures/core"
import type { Executor } from "@futures/core"
import { Hono } from "hono"
import { countPrimes } from "./tasks.ts"

/** An HTTP service whose answers take computing. */
export const app = (executor: Executor): Hono =>
  new Hono()
    .get("/primes/:below{\\d+}", async (c) => {
      // The request's signal is aborted when its client leaves: a call that waits is dropped, one that runs is stopped.
      const job = Task.with(countPrimes, { signal: c.req.raw.signal, timeout: "30 seconds" })
      return c.json({ primes: await executor.run(job, Number(c.req.param("below"))) })
    })
    .get("/health", (c) => c.json(executor.stats()))
    .onError((error, c) => {
      // With a bounded queue, more than can be served is refused at once.
      if (error instanceof QueueFullError) return c.json({ error: "busy" }, 503, { "retry-after": "1" })
      return c.json({ error: error.name }, 500)
    })
