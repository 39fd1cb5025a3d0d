/** The command `futures-cluster`: start, engine, status, stop. */
import { Cluster, ClusterExecutor } from "@futures/cluster-executor"
import { once } from "node:events"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { describe, expect, it, onTestFinished } from "vitest"
import { stillLives } from "../../process-executor/test/processes.ts"
import { familyOf, gone, openShell } from "./command.ts"
import type { Running, Shell } from "./command.ts"
import { openHost, whyNoHosts } from "./hosts.ts"
import { add, hold } from "./tasks.ts"

const engines = async (shell: Shell, ...args: ReadonlyArray<string>): Promise<Array<Record<string, any>>> => {
  const { exitCode, stderr, stdout } = await shell.run("status", "--json", ...args)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
  return JSON.parse(stdout).engines
}

/** Starts a cluster and waits until it runs. */
const started = async (shell: Shell, ...args: ReadonlyArray<string>): Promise<Running> => {
  const running = shell.stay("start", ...args)
  await running.tells("started")
  return running
}

const program = (running: Running, name: string) => familyOf(running.pid).find(({ command }) => command.includes(name))!

describe("futures-cluster start", () => {
  it("starts a broker and as many engines as it is told, and describes them in a file for their owner alone", async () => {
    const shell = openShell()
    const running = await started(shell, "-n", "2", "--slots", "3", "--label", "gpu=yes", "--label", "zone=a")
    expect(statSync(shell.file).mode & 0o777).toBe(0o600)
    const { credentials, launcher, namespace, servers } = JSON.parse(readFileSync(shell.file, "utf8"))
    expect(servers).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)])
    expect(credentials).toEqual({ token: expect.stringMatching(/^[\w-]{43}$/) })
    expect({ namespace, pid: launcher.pid }).toEqual({ namespace: "default", pid: running.pid })
    expect(await engines(shell)).toEqual(
      [0, 1].map((index) =>
        expect.objectContaining({ id: `engine-${index}`, slots: 3, running: 0, labels: { gpu: "yes", zone: "a" } })
      )
    )
  })

  it("describes where its code lies, so that programs may run in any folder", async () => {
    const shell = openShell()
    await started(shell, "--root", import.meta.dirname)
    const saved = process.env["FUTURES_CLUSTER"]
    process.env["FUTURES_CLUSTER"] = shell.file
    try {
      await using cluster = await Cluster.connect()
      expect(cluster.root).toBe(import.meta.dirname)
      expect(await cluster.executor().run(add, 1, 2)).toBe(3)
      await using executor = new ClusterExecutor()
      expect(await executor.run(add, 3, 4)).toBe(7)
      await using elsewhere = await Cluster.connect({ root: dirname(import.meta.dirname) })
      const error = await elsewhere.executor().submit(add, 1, 2).exception()
      expect(String(error)).toMatch(
        /has no file test\/tasks\.ts below its code root .*\/test; it lies below the caller's code root .*cluster-executor/
      )
      expect(String(error)).toContain("Set the option root of the caller, or --root of the engine")
    } finally {
      if (saved === undefined) delete process.env["FUTURES_CLUSTER"]
      else process.env["FUTURES_CLUSTER"] = saved
    }
  })

  it("asked by SIGTERM or SIGINT ends in good order, with code 0, and leaves nothing behind", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const shell = openShell()
      const running = await started(shell, "-n", "2")
      const family = familyOf(running.pid)
      expect(family.length).toBeGreaterThanOrEqual(3)
      running.process.kill(signal)
      expect(await running.ended).toMatchObject({ exitCode: 0, stderr: "" })
      expect(family.filter(stillLives)).toEqual([])
      expect(existsSync(shell.file)).toBe(false)
    }
  })

  it("killed leaves nothing behind within two seconds", async () => {
    const running = await started(openShell(), "-n", "2")
    const family = familyOf(running.pid)
    running.process.kill("SIGKILL")
    await gone(family)
  })

  it("starts an engine that was killed again, and a broker, which engines then come back to", async () => {
    const shell = openShell()
    const running = await started(shell, "-n", "1")
    const [before] = await engines(shell)
    process.kill(before!["pid"], "SIGKILL")
    expect(await running.tells("engine-ended")).toMatchObject({ id: "engine-0", exitCode: null, signal: "SIGKILL" })
    await running.tells("engine-started", 2)
    const [after] = await engines(shell)
    expect(after).toMatchObject({ id: "engine-0" })
    expect(after!["pid"]).not.toBe(before!["pid"])

    process.kill(program(running, "nats-server --config").pid, "SIGKILL")
    await running.tells("broker-restarted")
    let seen: Array<Record<string, any>> = []
    while (seen.length === 0) seen = await engines(shell)
    expect(seen[0]).toMatchObject({ id: "engine-0", pid: after!["pid"] })
  })

  it("with --daemon comes back when the cluster runs, in the background, until stop", async () => {
    const shell = openShell()
    const { exitCode, stdout } = await shell.run("start", "-n", "1", "--daemon", "--json")
    expect(exitCode).toBe(0)
    const { pid } = JSON.parse(stdout)
    const family = familyOf(pid)
    expect(await engines(shell)).toHaveLength(1)
    expect(await shell.run("stop")).toMatchObject({ exitCode: 0, stdout: `the cluster of process ${pid} has ended\n` })
    expect(family.filter(stillLives)).toEqual([])
    expect(existsSync(shell.file)).toBe(false)
  })

  it("refuses to write over the file of a cluster that lives, and takes the place of one that was killed", async () => {
    const shell = openShell()
    const first = await started(shell, "-n", "0")
    const second = await shell.run("start", "-n", "0")
    expect(second).toMatchObject({ exitCode: 1, stdout: "" })
    expect(second.stderr).toContain(`A cluster runs already (process ${first.pid})`)
    first.process.kill("SIGKILL")
    await first.ended
    expect(existsSync(shell.file)).toBe(true)
    await started(shell, "-n", "0")
  })

  it("says why it cannot start, in the background as well, with exit code 1", async () => {
    const shell = openShell()
    for (const args of [[], ["--daemon"]]) {
      const { exitCode, stderr, stdout } = await shell.run("start", "--binary", "/nowhere/nats-server", ...args)
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" })
      expect(stderr).toMatch(/^futures-cluster: The option binary names \/nowhere\/nats-server.*apt install/s)
    }
    const open = await shell.run("start", "--host", "0.0.0.0", "--open", "--json")
    expect(open.exitCode).toBe(1)
    expect(JSON.parse(open.stderr).error).toMatchObject({ _tag: "InvalidOptionError", message: /loopback/ })
  })
})

describe("futures-cluster engine", () => {
  it("joins by the file, drains on SIGTERM, and ends with code 0", async () => {
    const shell = openShell()
    await started(shell, "-n", "1")
    const engine = shell.stay("engine", "--name", "guest", "--slots", "2", "--label", "kind=guest")
    expect(await engine.tells("joined")).toMatchObject({ id: "guest" })
    expect((await engines(shell)).map(({ id, labels, slots }) => ({ id, labels, slots }))).toEqual([
      { id: "engine-0", labels: {}, slots: 1 },
      { id: "guest", labels: { kind: "guest" }, slots: 2 }
    ])
    engine.process.kill("SIGTERM")
    expect((await engine.ended).exitCode).toBe(0)
    expect((await engines(shell)).map(({ id }) => id)).toEqual(["engine-0"])
  })

  it("joins by the broker's address, with a token from the environment; with another one it says so", async () => {
    const shell = openShell()
    const { servers } = await (await started(shell, "-n", "0", "--token", "secret")).tells("started")
    const reach = ["--servers", servers.join(",")]
    const engine = openShell({ FUTURES_CLUSTER_TOKEN: "secret" }).stay("engine", ...reach)
    await engine.tells("joined")
    expect(await engines(openShell({ FUTURES_CLUSTER_TOKEN: "secret" }), ...reach)).toHaveLength(1)
    const stranger = await openShell().run("engine", ...reach, "--token", "guess")
    expect(stranger).toMatchObject({ exitCode: 1, stdout: "" })
    expect(stranger.stderr).toMatch(/^futures-cluster: .*authorization violation/i)
  })

  it("joins with the engine's credentials alone, where roles are told apart", async () => {
    const shell = openShell()
    const { engineConnection } = await (await started(shell, "-n", "1", "--roles")).tells("started")
    expect(engineConnection).toBe(join(dirname(shell.file), "engine.json"))
    expect(JSON.parse(readFileSync(engineConnection, "utf8")).credentials.user).toBe("engine")
    expect(JSON.parse(readFileSync(shell.file, "utf8")).credentials.user).toBe("client")
    const engine = shell.stay("engine", "--connection", engineConnection, "--name", "guest")
    await engine.tells("joined")
    expect((await engines(shell)).map(({ id }) => id)).toEqual(["engine-0", "guest"])
  })

  it.skipIf(whyNoHosts !== undefined)("joins from another host", async () => {
    const [shell, host] = [openShell(), openHost()]
    const { servers } = await (await started(shell, "-n", "0", "--host", host.gateway)).tells("started")
    const { token } = JSON.parse(readFileSync(shell.file, "utf8")).credentials
    const { program: main } = await import("./command.ts")
    const args = [main, "engine", "--servers", servers[0], "--name", "guest"]
    host.spawn(process.execPath, args, { env: { ...shell.env, FUTURES_CLUSTER_TOKEN: token }, stdio: "ignore" })
    let seen: Array<Record<string, any>> = []
    while (seen.length === 0) seen = await engines(shell)
    expect(seen).toEqual([expect.objectContaining({ id: "guest" })])
  })
})

describe("futures-cluster status", () => {
  it("shows a table of engines, their sum, and what waits", async () => {
    const shell = openShell()
    await started(shell, "-n", "2", "--label", "zone=a")
    const { exitCode, stderr, stdout } = await shell.run("status")
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
    const [head, first, second, sum, ...rest] = stdout.split("\n")
    expect(head).toMatch(/^ENGINE +HOST +PID +SLOTS +RUNNING +STARTED +HEARTBEAT +LABELS$/)
    expect(first).toMatch(/^engine-0 +\S+ +\d+ +1 +0 +0 +\d+\.\d s ago +zone=a$/)
    expect(second).toMatch(/^engine-1 +/)
    expect(sum).toBe("2 engines, 2 slots, 0 running; 0 slots waited for, 0 calls kept")
    expect(rest).toEqual([""])
  })

  it("counts slots that are taken, and those that executors wait for", async () => {
    const shell = openShell()
    await started(shell, "-n", "1", "--root", import.meta.dirname)
    const { credentials, servers } = JSON.parse(readFileSync(shell.file, "utf8"))
    await using cluster = await Cluster.connect({ servers, credentials, root: import.meta.dirname })
    const [one, other] = [cluster.executor({ maxWorkers: 1 }), cluster.executor({ maxWorkers: 1 })]
    const gate = join(dirname(shell.file), "gate")
    const running = one.submit(hold, join(dirname(shell.file), "notebook"), "one", gate)
    while (!running.running()) await setImmediate()
    const waiting = other.submit(add, 1, 2)
    const { stdout } = await shell.run("status", "--json")
    expect(JSON.parse(stdout)).toMatchObject({ engines: [{ slots: 1, running: 1 }], wanted: 1, queued: 0 })
    writeFileSync(gate, "")
    expect(await Promise.all([running.result(), waiting.result()])).toEqual(["one", 3])
  })

  it("with --watch looks again every second, until it is asked to end", async () => {
    const shell = openShell()
    await started(shell, "-n", "1")
    const running = shell.stay("status", "--watch")
    let lines = 0
    await new Promise<void>((resolve) => {
      running.process.stdout!.on("data", (chunk: Buffer) => {
        lines += String(chunk).split("\n").length - 1
        if (lines >= 2) resolve()
      })
    })
    running.process.kill("SIGINT")
    const { exitCode, stdout } = await running.ended
    expect(exitCode).toBe(0)
    for (const line of stdout.trimEnd().split("\n")) expect(JSON.parse(line).engines).toHaveLength(1)
  })

  it("of a cluster that is not there says so, with exit code 1", async () => {
    const shell = openShell()
    const none = await shell.run("status")
    expect(none).toMatchObject({ exitCode: 1, stdout: "" })
    expect(none.stderr).toContain(`There is no cluster described in ${shell.file}`)
    const refused = await shell.run("status", "--servers", "127.0.0.1:1", "--json")
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" })
    expect(JSON.parse(refused.stderr).error.message).toMatch(/refused/i)
  })
})

describe("futures-cluster", () => {
  it("told twice to end ends at once, with the exit code of the signal, and leaves nothing behind", async () => {
    const shell = openShell()
    const running = await started(shell, "-n", "1")
    const engine = familyOf(running.pid).find(({ command }) => command.includes("engine"))!
    // An engine that does not listen is not drained.
    process.kill(engine.pid, "SIGSTOP")
    onTestFinished(() => {
      if (stillLives(engine)) process.kill(engine.pid, "SIGKILL")
    })
    const family = familyOf(running.pid)
    running.process.kill("SIGTERM")
    await running.tells("draining")
    // What it printed ends later: the engine has its output as well.
    const exited = once(running.process, "exit")
    running.process.kill("SIGTERM")
    expect(await exited).toEqual([143, null])
    process.kill(engine.pid, "SIGCONT")
    await gone(family)
  })

  it("stop without a cluster says so, and clears away the file of one that is dead", async () => {
    const shell = openShell()
    expect(await shell.run("stop")).toMatchObject({ exitCode: 1, stdout: "" })
    const running = await started(shell, "-n", "0")
    running.process.kill("SIGKILL")
    await running.ended
    const { exitCode, stderr } = await shell.run("stop")
    expect(exitCode).toBe(1)
    expect(stderr).toContain("has ended already")
    expect(existsSync(shell.file)).toBe(false)
  })

  it("that is not understood says what it wants, with exit code 2; that is asked for help gives it, with 0", async () => {
    const shell = openShell()
    const wrong = [["nonsense"], ["start", "-n", "-1"], ["start", "--slots", "0"], ["engine", "--nonsense"]]
    const asked = [["--help"], ["start", "--help"], ["--version"]]
    const [refusals, answers] = await Promise.all(
      [wrong, asked].map((all) => Promise.all(all.map((args) => shell.run(...args))))
    )
    expect(refusals!.map(({ exitCode }) => exitCode)).toEqual(wrong.map(() => 2))
    for (const { stderr } of refusals!) expect(stderr).toContain("ERROR")
    for (const answer of answers!) expect(answer).toMatchObject({ exitCode: 0, stderr: "" })
    const { stdout } = await shell.run("--help")
    for (const flag of ["--wizard", "--log-level"]) expect(stdout).not.toContain(flag)
    const mistyped = await shell.run("start", "--nope")
    expect(mistyped.stderr).toContain("Unrecognized flag: --nope")
    expect(mistyped.stderr).not.toContain("--open")
    for (const name of ["start", "engine", "status", "stop"]) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"))
  })
})
