/** What the page about production says, tried with the service in `work/production`. */
import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { describe, expect, it, onTestFinished } from "vitest"
import { childrenOf, stillLives, until } from "../../packages/process-executor/test/processes.ts"
import type { Entry } from "../../packages/process-executor/test/processes.ts"

const folder = new URL("../work/production/", import.meta.url).pathname

/** A process and all that it started. */
const familyOf = (pid: number): ReadonlyArray<Entry> =>
  childrenOf(pid).flatMap((child) => [child, ...familyOf(child.pid)])

interface Line {
  readonly level: string
  readonly message: string
  readonly pid: number
}

interface Service {
  readonly process: ChildProcess
  readonly pid: number
  /** Lines of its log so far. Throws for one that is not JSON. */
  readonly log: () => ReadonlyArray<Line>
  /** Resolves when a line of the log contains a text, so many times. */
  readonly says: (text: string, times?: number) => Promise<void>
  readonly get: (path: string) => Promise<readonly [status: number, body: string]>
  /** Resolves with its exit code, or with the signal that ended it. */
  readonly ended: Promise<unknown>
}

const prefix = (command: ReadonlyArray<string>): readonly [string, ...Array<string>] =>
  [...command, process.execPath] as unknown as readonly [string, ...Array<string>]

const start = async (
  env: Readonly<Record<string, string>>,
  program = "main.ts",
  command: ReadonlyArray<string> = []
): Promise<Service> => {
  const [file, ...args] = prefix(command)
  const child = spawn(file, [...args, `${folder}${program}`], {
    env: { ...process.env, PORT: "0", EXECUTOR_MAX_WORKERS: "2", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  onTestFinished(() => {
    for (const { pid } of familyOf(child.pid!).filter(stillLives)) process.kill(pid, "SIGKILL")
    child.kill("SIGKILL")
  })
  let text = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => text += chunk)
  const log = (): ReadonlyArray<Line> => text.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Line)
  const said = (word: string): number => log().filter(({ message }) => message.includes(word)).length
  const says = (word: string, times = 1): Promise<void> =>
    until(() => said(word) >= times || child.exitCode !== null, 20_000, () => `"${word}":\n${text}`)
  await says("listening on")
  const port = log().find(({ message }) => message.startsWith("listening"))!.message.split(" ").at(-1)
  return {
    process: child,
    pid: child.pid!,
    log,
    says,
    get: async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      return [response.status, await response.text()]
    },
    ended: once(child, "exit").then(([code, signal]) => code ?? signal)
  }
}

const backends = ["thread", "process"] as const

describe("a service that is stopped", () => {
  it.for(backends)("by SIGTERM to its main process (Docker, Kubernetes) responds first, on %s", async (backend) => {
    const service = await start({ EXECUTOR_BACKEND: backend })
    const response = service.get("/wait/500")
    await service.says("waiting 500")
    service.process.kill("SIGTERM")
    expect(await response).toEqual([200, "500"])
    expect(await service.ended).toBe(0)
    expect(service.log().at(-1)!.message).toBe("ended")
    expect(service.log().filter(({ level }) => level !== "info")).toEqual([])
  })

  it.for([["SIGTERM", "thread"], ["SIGTERM", "process"], ["SIGINT", "process"]] as const)(
    "by %s to each of its processes (systemd, pm2) responds first, on %s",
    async ([signal, backend]) => {
      const service = await start({ EXECUTOR_BACKEND: backend })
      const response = service.get("/wait/500")
      await service.says("waiting 500")
      for (const { pid } of [...familyOf(service.pid), service]) process.kill(pid, signal)
      expect(await response).toEqual([200, "500"])
      expect(await service.ended).toBe(0)
    }
  )

  it.for(backends)("twice ends at once, and its workers with it, on %s", async (backend) => {
    const service = await start({ EXECUTOR_BACKEND: backend })
    const response = service.get("/wait/60000").catch(() => "no response")
    await service.says("waiting 60000")
    const family = familyOf(service.pid)
    service.process.kill("SIGTERM")
    await service.says("finishing")
    service.process.kill("SIGTERM")
    expect(await service.ended).toBe("SIGTERM")
    expect(await response).toBe("no response")
    await until(() => !family.some(stillLives), 2_000, () => JSON.stringify(family.filter(stillLives)))
  })

  const namespace = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child"]
  const isPossible = spawnSync(namespace[0]!, [...namespace.slice(1), process.execPath, "-e", ""]).status === 0

  it.skipIf(!isPossible).for(backends)("as process 1 of a container responds first, on %s", async (backend) => {
    const service = await start({ EXECUTOR_BACKEND: backend }, "main.ts", namespace)
    expect(service.log()[0]!.pid).toBe(1)
    const response = service.get("/wait/500")
    await service.says("waiting 500")
    const [main] = childrenOf(service.pid)
    process.kill(main!.pid, "SIGTERM")
    expect(await response).toEqual([200, "500"])
    expect(await service.ended).toBe(0)
  })

  it.for(backends)("under node:cluster responds first, on %s", async (backend) => {
    const service = await start({ EXECUTOR_BACKEND: backend }, "cluster.ts")
    await service.says("listening on", 2)
    const response = service.get("/wait/500")
    await service.says("waiting 500")
    service.process.kill("SIGTERM")
    expect(await response).toEqual([200, "500"])
    expect(await service.ended).toBe(0)
    expect(service.log().filter(({ message }) => message === "ended")).toHaveLength(2)
  })
})

describe("a service that runs", () => {
  it.for(backends)(
    "is alive while all workers compute, and not ready when its queue is full, on %s",
    async (backend) => {
      const service = await start({ EXECUTOR_BACKEND: backend })
      expect(await service.get("/ready")).toEqual([200, ""])
      const calls = Array.from({ length: 12 }, () => service.get("/compute/300"))
      let status = 200
      while (status === 200) [status] = await service.get("/ready")
      expect(status).toBe(503)
      expect(await service.get("/live")).toEqual([200, "live"])
      await Promise.all(calls)
      expect(await service.get("/ready")).toEqual([200, ""])
    }
  )

  it("loses what ran on a worker that the system killed (out of memory), says so, and goes on", async () => {
    const service = await start({ EXECUTOR_BACKEND: "process", EXECUTOR_MAX_WORKERS: "1" })
    const lost = service.get("/wait/60000").catch(String)
    await service.says("waiting 60000")
    const worker = familyOf(service.pid).find(({ command }) => !command.includes("futures-watchdog"))!
    process.kill(worker.pid, "SIGKILL")
    expect(await lost).toEqual([500, ""])
    expect(await service.get("/wait/1")).toEqual([200, "1"])
    const errors = service.log().filter(({ level }) => level === "error").map(({ message }) => message)
    expect(errors).toEqual(expect.arrayContaining([expect.stringContaining("worker lost: SIGKILL")]))
  })

  it.for(backends)(
    "logs what tasks write as whole lines of its own stdout, before the response, on %s",
    async (backend) => {
      const service = await start({ EXECUTOR_BACKEND: backend })
      await Promise.all([service.get("/wait/5"), service.get("/wait/6")])
      expect(service.log().filter(({ message }) => message.startsWith("waited")).length).toBe(2)
    }
  )
})
