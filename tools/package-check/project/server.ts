/** A server whose work is done elsewhere. It asks itself once, and stops: `node server.ts thread`. */
import { withExecutor } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { decline, Declined, double, fib, fibThere, where } from "./tasks.ts"

const backends = { thread: ThreadExecutor, process: ProcessExecutor }
const backend = process.argv[2] as keyof typeof backends
console.log(`serving from ${backend}`)

await withExecutor(new backends[backend]({ maxWorkers: 2 }), async (executor) => {
  const server = createServer((request, response) => {
    const n = Number(request.url!.slice(1))
    void executor.run(fib, n).then((result) => response.end(String(result)), (error) => response.end(String(error)))
  })
  await once(server.listen(0), "listening")
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/20`)
  assert.equal(await answer.text(), "6765")
  server.closeAllConnections()
  server.close()

  const here = where()
  const there = await executor.run(where)
  assert.notEqual(there, here)
  assert.equal(there.split("/")[0] === here.split("/")[0], backend === "thread")
  assert.equal(await executor.run(double, 21), 42)
  assert.equal(await executor.run(fibThere, 20), 6765)
  const results: Array<number> = []
  for await (const result of executor.map(fib, [1, 2, 3])) results.push(result)
  assert.deepEqual(results, [1, 1, 2])
  const error = await executor.submit(decline, 402).exception()
  assert.ok(error instanceof Declined)
  assert.equal(error.code, 402)
})
console.log("served")
