/** Who may connect to a broker, and what they may do there: asked of the real server. */
import { Broker, Cluster } from "@futures/cluster-executor"
import type { Credentials } from "@futures/cluster-executor"
import { BrokenExecutorError } from "@futures/core"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { encodeAccount, encodeOperator, encodeUser } from "@nats-io/jwt"
import { createAccount, createOperator, createUser } from "@nats-io/nkeys"
import { connect } from "@nats-io/transport-node"
import type { NatsConnection } from "@nats-io/transport-node"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { describe, expect, it, onTestFinished } from "vitest"
import { connectionOptions } from "../src/broker/credentials.ts"
import type { BrokerOptions } from "../src/broker/options.ts"
import { scene } from "./bench.ts"
import { add, hold, size } from "./tasks.ts"

const started = async (options?: BrokerOptions): Promise<Broker> => {
  const broker = await Broker.start(options)
  onTestFinished(() => broker.stop())
  return broker
}

const connected = async (broker: Broker, credentials: Credentials): Promise<NatsConnection> => {
  const client = await connect({ ...connectionOptions({ servers: broker.servers, credentials }), reconnect: false })
  onTestFinished(() => client.close())
  void countRefusals(client)
  return client
}

/** How often the server has refused each connection something. */
const refusals = new WeakMap<NatsConnection, number>()

const countRefusals = async (client: NatsConnection): Promise<void> => {
  for await (const { type } of client.status()) {
    if (type === "error") refusals.set(client, (refusals.get(client) ?? 0) + 1)
  }
}

/** Whether the server lets it be done. */
const may = async (client: NatsConnection, act: () => void): Promise<boolean> => {
  const before = refusals.get(client)
  act()
  // Its answer comes behind its refusals; those have been counted when the microtasks are done.
  await client.flush()
  await setImmediate()
  return refusals.get(client) === before
}

const mayPublish = (client: NatsConnection, subject: string): Promise<boolean> =>
  may(client, () => client.publish(subject))

const maySubscribe = (client: NatsConnection, subject: string): Promise<boolean> =>
  may(client, () => void client.subscribe(subject, { callback: () => {} }))

const allowed = async (
  subjects: ReadonlyArray<string>,
  ask: (subject: string) => Promise<boolean>
): Promise<Array<string>> => {
  const answers: Array<string> = []
  for (const subject of subjects) if (await ask(subject)) answers.push(subject)
  return answers
}

describe("A broker that tells roles apart", () => {
  const api = (...verbs: ReadonlyArray<string>) => verbs.map((verb) => `$JS.API.${verb}`)

  /** What it takes to have an engine run something. */
  const submitting = [
    "cf.default.want",
    "cf.default.eng.e1.take",
    "cf.default.call.any.c1.1",
    "cf.default.args.c1.1.0.abc.0"
  ]
  /** What it takes to be taken for an engine. */
  const answering = ["cf.default.hb.e1", "cf.default.cl.c1.offer", "cf.default.res.c1.1.0.abc.0"]
  const elsewhere = ["cf.other.want", "cf.other.hb.e1", "cf.other.call.default", "anything", "$SYS.REQ.SERVER.PING"]
  const destroying = api(
    "STREAM.CREATE.CF_default_CALLS",
    "STREAM.DELETE.CF_default_CALLS",
    "STREAM.PURGE.CF_default_CALLS",
    "STREAM.MSG.GET.CF_default_CALLS",
    "STREAM.MSG.DELETE.CF_default_CALLS",
    "CONSUMER.CREATE.CF_default_CALLS.x",
    "CONSUMER.DELETE.CF_default_CALLS.x",
    "STREAM.DELETE.CF_default_ARGS",
    "STREAM.MSG.DELETE.CF_default_ARGS",
    "STREAM.MSG.GET.CF_default_RES",
    "STREAM.PURGE.CF_default_RES"
  )
  const others = api("STREAM.CREATE.OTHER", "STREAM.DELETE.CF_other_CALLS", "CONSUMER.MSG.NEXT.CF_other_CALLS.x")

  it("gives an engine and a client a user each, and lets no other in", async () => {
    const broker = await started({ roles: true })
    expect(broker.credentials).toEqual({ user: "client", password: expect.stringMatching(/^[\w-]{43}$/) })
    expect(broker.engineCredentials).toEqual({ user: "engine", password: expect.stringMatching(/^[\w-]{43}$/) })
    expect(broker.credentials.password).not.toBe(broker.engineCredentials.password)
    const { password } = broker.engineCredentials
    for (const credentials of [{}, { user: "client", password }, { token: password }, { user: "root" }]) {
      await expect(connected(broker, credentials)).rejects.toThrow("Authorization Violation")
    }
  })

  it("lets an engine answer and take, but neither submit, nor ask other engines, nor touch streams", async () => {
    const broker = await started({ roles: true })
    const engine = await connected(broker, broker.engineCredentials)
    const publish = (subject: string) => mayPublish(engine, subject)
    const taking = api(
      "CONSUMER.MSG.NEXT.CF_default_CALLS.lb",
      "CONSUMER.INFO.CF_default_CALLS.lb",
      "CONSUMER.LIST.CF_default_CALLS",
      "DIRECT.GET.CF_default_ARGS.cf.default.args.c1.1.0",
      "STREAM.MSG.GET.CF_default_ARGS",
      "STREAM.PURGE.CF_default_ARGS"
    )
    expect(await allowed([...answering, ...taking], publish)).toEqual([...answering, ...taking])
    expect(await allowed([...submitting, ...destroying, ...elsewhere, ...others], publish)).toEqual([])
    const listening = ["cf.default.who", "cf.default.want", "cf.default.eng.e1.>"]
    const overhearing = ["cf.default.cl.>", "cf.default.res.>", "cf.default.call.>", "cf.other.>", ">"]
    const subscribe = (subject: string) => maySubscribe(engine, subject)
    expect(await allowed([...listening, ...overhearing], subscribe)).toEqual(listening)
  })

  it("lets a client submit and collect, but not pass itself off as an engine, nor leave its namespace", async () => {
    const broker = await started({ roles: true })
    const client = await connected(broker, broker.credentials)
    const publish = (subject: string) => mayPublish(client, subject)
    const stopping = ["cf.default.res.c1.1"]
    const ours = [...submitting, ...destroying, ...stopping]
    expect(await allowed(ours, publish)).toEqual(ours)
    expect(await allowed([...answering, ...elsewhere, ...others], publish)).toEqual([])
    const listening = [
      "cf.default.hb.*",
      "cf.default.bye.*",
      "cf.default.want",
      "cf.default.cl.c1.>",
      "cf.default.res.c1.>"
    ]
    const overhearing = ["cf.default.eng.>", "cf.default.call.>", "cf.other.>", ">"]
    const subscribe = (subject: string) => maySubscribe(client, subject)
    expect(await allowed([...listening, ...overhearing], subscribe)).toEqual(listening)
  })

  it("lets a client make a queue, and an engine take from it and answer for what it took", async () => {
    const broker = await started({ roles: true, namespace: "team" })
    const [client, engine] = [
      await connected(broker, broker.credentials),
      await connected(broker, broker.engineCredentials)
    ]
    const manager = await jetstreamManager(client, { checkAPI: false })
    await manager.streams.add({ name: "CF_team_CALLS", subjects: ["cf.team.call.*"], retention: "workqueue" })
    await manager.consumers.add("CF_team_CALLS", { durable_name: "lb", ack_policy: "explicit" })
    await jetstream(client).publish("cf.team.call.default", "call")
    const consumer = await jetstream(engine).consumers.get("CF_team_CALLS", "lb")
    const message = await consumer.next()
    expect(message?.string()).toBe("call")
    expect(await message?.ackAck()).toBe(true)
    expect((await manager.streams.info("CF_team_CALLS")).state.messages).toBe(0)
    await expect(jetstream(engine).publish("cf.team.call.default", "call")).rejects.toThrow(/permission/i)
  })

  it("refuses nothing to calls, views, and calls of named clients, those of a killed engine included", async () => {
    const broker = await started({ roles: true })
    await using cluster = await Cluster.start({ engines: 2, slots: 1, root: import.meta.dirname, broker })
    {
      await using executor = cluster.executor({ maxWorkers: 2 })
      expect(await Promise.all([1, 2, 3].map((n) => executor.run(add, n, n)))).toEqual([2, 4, 6])
    }
    for (const [, job] of cluster.broadcast(add, 1, 2)) expect(await job.result()).toBe(3)
    await using named = await Cluster.connect({ ...cluster.connection, client: "night", root: import.meta.dirname })
    const { gate, lines, notebook, open, written } = scene()
    const held = named.executor().submit(hold, notebook, "held", gate)
    await written(1)
    await cluster.addEngine()
    process.kill(Number(lines()[0]!.split(" ")[1]), "SIGKILL")
    open()
    expect(await held.result()).toBe("held")
    expect(await named.future<string>(held.info.id).result()).toBe("held")
    expect(await (await named.resubmit<string>(held.info.id)).result()).toBe("held")
    const long = new Uint8Array(9 * 2 ** 20)
    expect(await named.executor().run(size, long)).toBe(long.length)
    // Two engines live: two of them run, and one waits.
    const stopped = Array.from({ length: 3 }, () => named.executor().submit(hold, notebook, "stopped", `${gate}-never`))
    await written(5)
    for (const future of stopped.toReversed()) expect(await future.interrupt({ grace: 50 })).toBe(true)
    expect(await cluster.poisoned()).toEqual([])
    expect(readFileSync(join(broker.storeDir, "nats-server.log"), "utf8")).not.toMatch(/violation/i)
  })

  it("fails the calls of whoever has an engine's credentials, named or not", async () => {
    const broker = await started({ roles: true })
    await using cluster = await Cluster.start({ engines: 1, slots: 1, root: import.meta.dirname, broker })
    const { namespace, servers } = cluster.connection
    for (const client of [undefined, "night"]) {
      const credentials = broker.engineCredentials
      await using engine = await Cluster.connect({ servers, namespace, credentials, client, root: import.meta.dirname })
      const error = await engine.executor().submit(add, 1, 2).exception()
      expect(error).toBeInstanceOf(BrokenExecutorError)
      expect(String((error as BrokenExecutorError).cause)).toMatch(/does not let this user|permission/i)
    }
    expect(readFileSync(join(broker.storeDir, "nats-server.log"), "utf8")).toMatch(/violation.*want/i)
  })

  it("knows users of your own by password and by NKey", async () => {
    const [client, engine, stranger] = [createUser(), createUser(), createUser()]
    const seedOf = (pair: typeof client) => new TextDecoder().decode(pair.getSeed())
    const broker = await started({
      users: [
        { role: "client", nkey: client.getPublicKey() },
        { role: "engine", nkey: engine.getPublicKey() },
        { role: "client", user: "ada", password: "lovelace" }
      ]
    })
    expect(await mayPublish(await connected(broker, { nkeySeed: seedOf(client) }), "cf.default.want")).toBe(true)
    expect(await mayPublish(await connected(broker, { nkeySeed: seedOf(engine) }), "cf.default.want")).toBe(false)
    expect(await mayPublish(await connected(broker, { user: "ada", password: "lovelace" }), "cf.default.want")).toBe(
      true
    )
    await expect(connected(broker, { nkeySeed: seedOf(stranger) })).rejects.toThrow("Authorization Violation")
  })
})

it("A broker that has an operator knows users by JWT, with the permissions that are in it", async () => {
  const [operator, account, system, user] = [createOperator(), createAccount(), createAccount(), createUser()]
  const unlimited = {
    mem_storage: -1,
    disk_storage: -1,
    streams: -1,
    consumer: -1,
    conn: -1,
    leaf: -1,
    subs: -1,
    data: -1,
    payload: -1
  }
  const broker = await started({
    operator: {
      jwt: await encodeOperator("operator", operator, { system_account: system.getPublicKey() }),
      systemAccount: system.getPublicKey(),
      accounts: {
        [account.getPublicKey()]: await encodeAccount("team", account, { limits: unlimited }, { signer: operator }),
        [system.getPublicKey()]: await encodeAccount("system", system, {}, { signer: operator })
      }
    }
  })
  const jwt = await encodeUser("engine", user, account, { pub: { allow: ["cf.default.hb.*"] } })
  const nkeySeed = new TextDecoder().decode(user.getSeed())
  const engine = await connected(broker, { jwt, nkeySeed })
  expect(await mayPublish(engine, "cf.default.hb.e1")).toBe(true)
  expect(await mayPublish(engine, "cf.default.want")).toBe(false)
  await expect(connected(broker, { jwt, nkeySeed: new TextDecoder().decode(createUser().getSeed()) })).rejects.toThrow(
    "Authorization Violation"
  )
  await expect(connected(broker, {})).rejects.toThrow("Authorization Violation")
})

it("Credentials that say two things are refused", () => {
  for (const credentials of [{ token: "a", user: "b" }, { token: "a", nkeySeed: "SU" }, { user: "a", jwt: "b" }]) {
    expect(() => connectionOptions({ servers: ["localhost"], credentials })).toThrow(
      expect.objectContaining({ _tag: "InvalidOptionError", option: "credentials" })
    )
  }
})

describe("A broker with TLS", () => {
  /** An authority, and certificates that it signed, in a folder of their own. */
  const certificates = () => {
    const folder = mkdtempSync(join(tmpdir(), "futures-tls-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" })
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    const authority = (name: string) =>
      openssl("req", "-x509", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`)
    const signed = (name: string, by: string, extension: string) => {
      writeFileSync(join(folder, `${name}.cnf`), extension)
      openssl("req", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`)
      const to = ["-in", `${name}.csr`, "-out", `${name}.pem`, "-extfile", `${name}.cnf`, "-days", "1"]
      openssl("x509", "-req", ...to, "-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial")
    }
    authority("ours")
    authority("theirs")
    signed("server", "ours", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    signed("client", "ours", "extendedKeyUsage=clientAuth")
    signed("stranger", "theirs", "extendedKeyUsage=clientAuth")
    return (name: string) => join(folder, name)
  }

  it("is trusted by its authority alone, and wants its token still", async () => {
    const file = certificates()
    const tls = { certFile: file("server.pem"), keyFile: file("server.key"), caFile: file("ours.pem") }
    const broker = await started({ tls })
    expect(broker.credentials).toEqual({ token: expect.any(String), tls: { caFile: tls.caFile } })
    expect((await connected(broker, broker.credentials)).info?.tls_required).toBe(true)
    const { token } = broker.credentials
    await expect(connected(broker, { token, tls: { caFile: file("theirs.pem") } })).rejects.toThrow(/certificate/)
    await expect(connected(broker, { tls: { caFile: tls.caFile } })).rejects.toThrow("Authorization Violation")
  })

  it("carries calls", async () => {
    const file = certificates()
    const tls = { certFile: file("server.pem"), keyFile: file("server.key"), caFile: file("ours.pem") }
    await using cluster = await Cluster.start({ engines: 1, slots: 1, root: import.meta.dirname, broker: { tls } })
    expect(await cluster.direct(cluster.engines()[0]!.id).run(add, 1, 2)).toBe(3)
  })

  it("that verifies wants a certificate of its authority", async () => {
    const file = certificates()
    const tls = { certFile: file("server.pem"), keyFile: file("server.key"), caFile: file("ours.pem"), verify: true }
    const broker = await started({ tls })
    const as = (name: string): Credentials => ({
      ...broker.credentials,
      tls: { caFile: tls.caFile, certFile: file(`${name}.pem`), keyFile: file(`${name}.key`) }
    })
    expect((await connected(broker, as("client"))).info?.tls_verify).toBe(true)
    await expect(connected(broker, as("stranger"))).rejects.toThrow(/tls|certificate|closed|reset/i)
    await expect(connected(broker, broker.credentials)).rejects.toThrow(/tls|certificate|closed|reset/i)
  })
})
