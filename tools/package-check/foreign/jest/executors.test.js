const { InlineExecutor } = require("@futures/core")
const { ProcessExecutor } = require("@futures/process-executor")
const { ThreadExecutor } = require("@futures/thread-executor")
const { echo, fib, refuse } = require("./tasks")

const backends = { inline: InlineExecutor, thread: ThreadExecutor, process: ProcessExecutor }

test.each(["inline", "thread", "process"])("%s runs tasks", async (name) => {
  const executor = new backends[name]({ maxWorkers: 1 })
  expect(await executor.run(fib, 10)).toBe(55)
  await expect(executor.run(refuse)).rejects.toThrow(RangeError)
  await executor.shutdown()
})

test.each(["thread", "process"])("values from a %s have the built-in classes of another realm", async (name) => {
  const executor = new backends[name]({ maxWorkers: 1 })
  const values = await executor.run(echo, [new Date(0), new Map([[1, 2]]), [3]])
  expect(values).toEqual([new Date(0), new Map([[1, 2]]), [3]])
  expect(Array.isArray(values)).toBe(true)
  expect(Object.getPrototypeOf(values) === Array.prototype).toBe(false)
  expect(values[0] instanceof Date).toBe(false)
  expect(require("node:util").types.isDate(values[0])).toBe(true)
  await executor.shutdown()
})
