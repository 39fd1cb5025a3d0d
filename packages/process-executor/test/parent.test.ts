/** The parent dies: nothing that it started outlives it. */
import { ProcessExecutor } from "@futures/process-executor"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { idle } from "./fixtures/lives.ts"
import { childrenOf, isWatchdog, stillLives, until } from "./processes.ts"

const program = fileURLToPath(new URL("./fixtures/parent.ts", import.meta.url))

interface Parent {
  readonly pid: number
  readonly process: ChildProcess
  readonly said: () => string
  /** Resolves when it, or a child of it, has said the word so many times. */
  readonly says: (word: string, times: number) => Promise<void>
  readonly kill: () => void
}

const start = (...args: ReadonlyArray<string>): Parent => {
  const process_ = spawn(process.execPath, [program, ...args], { detached: true, stdio: ["ignore", "pipe", "pipe"] })
  let text = ""
  for (const stream of [process_.stdout, process_.stderr]) stream.on("data", (chunk: Buffer) => text += chunk)
  const kill = (): void => void process_.kill("SIGKILL")
  onTestFinished(kill)
  return {
    pid: process_.pid!,
    process: process_,
    said: () => text,
    says: (word, times) => until(() => text.split(word).length > times, 20_000, () => `"${word}" x ${times}:\n${text}`),
    kill
  }
}

/** Kills the parent and waits until nothing is left of what it started, as long as was promised. */
const killed = async (parent: Parent): Promise<void> => {
  const family = childrenOf(parent.pid)
  expect(family.length).toBeGreaterThan(0)
  onTestFinished(() => {
    for (const { pid } of family.filter(stillLives)) process.kill(pid, "SIGKILL")
  })
  parent.kill()
  await until(
    () => !family.some(stillLives),
    2_000,
    () => family.filter(stillLives).map(({ command, pid }) => `${pid} ${command}`).join("\n")
  )
}

/** No shell is here: children look after themselves. */
const nowhere = "/nowhere/sh"

test.for([
  ["idle", "/bin/sh"],
  ["work", "/bin/sh"],
  ["spin", "/bin/sh"],
  ["start", "/bin/sh"],
  ["work", nowhere],
  ["spin", nowhere]
])("When the parent is killed while children %s, all are gone within two seconds (watchdog %s)", async ([
  scene,
  shell
]) => {
  const parent = start(scene!, shell!)
  await parent.says("running", 2)
  expect(childrenOf(parent.pid).filter(isWatchdog)).toHaveLength(shell === nowhere ? 0 : 1)
  await killed(parent)
})

test.for([1, 2, 3])("When the parent is killed as child %d is born, all are gone within two seconds", async (count) => {
  const parent = start("spin")
  // The watchdog counts: it is the second to be born.
  await until(() => childrenOf(parent.pid).length >= count, 20_000, parent.said)
  await killed(parent)
})

test("A watchdog that somebody kills is replaced, and the parent's children still end with it", async () => {
  const parent = start("spin")
  await parent.says("running", 2)
  const [watchdog] = childrenOf(parent.pid).filter(isWatchdog)
  process.kill(watchdog!.pid, "SIGKILL")
  await until(
    () => childrenOf(parent.pid).some((child) => isWatchdog(child) && child.pid !== watchdog!.pid),
    20_000,
    parent.said
  )
  await killed(parent)
})

test("Ctrl-C reaches the parent alone, which decides: its children finish what they run", async () => {
  const directory = mkdtempSync(join(tmpdir(), "futures-parent-"))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, "go")
  const parent = start("decide", "/bin/sh", file)
  await parent.says("running", 1)
  const family = childrenOf(parent.pid)
  // What a terminal does: everybody in the foreground's process group gets it.
  process.kill(-parent.pid, "SIGINT")
  await parent.says("asked", 1)
  expect(family.every(stillLives)).toBe(true)
  writeFileSync(file, "")
  await parent.says("settled", 1)
  await until(() => parent.process.exitCode !== null, 20_000, parent.said)
  expect(parent.process.exitCode).toBe(0)
  expect(family.some(stillLives)).toBe(false)
})

test.for(["/bin/sh", nowhere])(
  "When the parent is killed, tasks that run are asked to stop, and exit hooks run (watchdog %s)",
  async (shell) => {
    const file = join(mkdtempSync(join(tmpdir(), "futures-parent-")), "lines")
    onTestFinished(() => rmSync(dirname(file), { recursive: true }))
    const parent = start("cleanUp", shell, file)
    await parent.says("running", 1)
    await killed(parent)
    expect(readFileSync(file, "utf8")).toBe("stopped\nexited\n")
  }
)

test("Signals to every process of a service reach the parent alone, which decides: calls finish", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "futures-parent-")), "go")
  onTestFinished(() => rmSync(dirname(file), { recursive: true }))
  const parent = start("decide", "/bin/sh", file)
  await parent.says("running", 1)
  const family = childrenOf(parent.pid)
  // As systemd and pm2 do: one signal to each.
  for (const [count, signal] of (["SIGTERM", "SIGHUP", "SIGINT"] as const).entries()) {
    for (const { pid } of [...family, { pid: parent.pid }]) process.kill(pid, signal)
    await parent.says("asked", count + 1)
  }
  expect(family.every(stillLives)).toBe(true)
  writeFileSync(file, "")
  await parent.says("settled", 1)
  await until(() => parent.process.exitCode !== null, 20_000, parent.said)
  expect(parent.process.exitCode).toBe(0)
})

test("A signal to a process that has only just been started costs no call", async () => {
  await using executor = new ProcessExecutor({ maxWorkers: 1 })
  const before = childrenOf(process.pid).map(({ pid }) => pid)
  const call = executor.submit(idle)
  const isNew = ({ pid }: { readonly pid: number }): boolean => !before.includes(pid)
  // The worker is the first to be born, before its watchdog.
  await until(() => childrenOf(process.pid).some(isNew), 20_000, () => "no child")
  const first = childrenOf(process.pid).filter(isNew)[0]!
  process.kill(first.pid, "SIGTERM")
  // By the next one, or by the same if it was quick enough to leave the signal to this process.
  expect(await call.result()).toBe(call.info.workerId)
})

test("Ctrl-C ends a parent that does not listen for it, and its children with it", async () => {
  const parent = start("work")
  await parent.says("running", 2)
  await killed({ ...parent, kill: () => void process.kill(-parent.pid, "SIGINT") })
  await until(() => parent.process.signalCode !== null || parent.process.exitCode !== null, 20_000, parent.said)
  expect(parent.process.signalCode).toBe("SIGINT")
})

test("One watchdog serves all executors, and is gone when the last of them has shut down", async () => {
  const watchdogs = (): Array<number> => childrenOf(process.pid).filter(isWatchdog).map(({ pid }) => pid)
  const before = childrenOf(process.pid).map(({ pid }) => pid)
  const [one, other] = [new ProcessExecutor({ maxWorkers: 1 }), new ProcessExecutor({ maxWorkers: 1 })]
  await Promise.all([one.run(idle), other.run(idle)])
  expect(watchdogs()).toHaveLength(1)
  await one.shutdown()
  expect(watchdogs()).toHaveLength(1)
  await other.shutdown()
  expect(childrenOf(process.pid).map(({ pid }) => pid)).toEqual(before)
})
