/** A server in CommonJS. It asks itself once, and stops: `node server.js thread`. */
const { Task } = require("@futures/core")
const { ProcessExecutor } = require("@futures/process-executor")
const { ThreadExecutor } = require("@futures/thread-executor")
const assert = require("node:assert/strict")
const { once } = require("node:events")
const { createServer } = require("node:http")
const { fib } = require("./tasks")

const { double } = Task.from(require.resolve("./plain"))
const backend = process.argv[2]

const main = async () => {
  console.log(`serving from ${backend}`)
  const executor = new { thread: ThreadExecutor, process: ProcessExecutor }[backend]({
    maxWorkers: 2,
    interactive: true
  })
  const server = createServer((request, response) => {
    const n = Number(request.url.slice(1))
    void executor.run(fib, n).then((result) => response.end(String(result)), (error) => response.end(String(error)))
  })
  await once(server.listen(0), "listening")
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/20`)
  assert.equal(await answer.text(), "6765")
  assert.equal(await executor.run(double, 21), 42)
  const increment = Task.define((n) => n + 1)
  assert.equal(await executor.run(increment, 41), 42)
  server.closeAllConnections()
  server.close()
  await executor.shutdown()
  console.log("served")
}

void main()
