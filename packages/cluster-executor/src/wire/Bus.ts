/**
 * The connection to the broker: messages by subject, at most once. What is sent while it is away is lost; `Channel` sees to it.
 *
 * ```
 * connected ◀──▶ away          until it is closed: it is tried again for ever
 * ```
 *
 * It does not keep the process alive.
 */
import { timers } from "@futures/core/Backend"
import {
  AuthorizationError,
  connect,
  NoRespondersError,
  PermissionViolationError,
  RequestError
} from "@nats-io/transport-node"
import type { NatsConnection } from "@nats-io/transport-node"
import type { Socket } from "node:net"
import { BrokerError } from "../broker/BrokerError.ts"
import { connectionOptions } from "../broker/credentials.ts"
import type { Connection } from "../broker/credentials.ts"

const { clearInterval, performance, queueMicrotask, setImmediate, setInterval, setTimeout } = timers

/**
 * The broker is pinged this often, in milliseconds, and may take this long to answer before the connection counts as broken. A broker that is stopped for some
 * seconds keeps its connections: what they carried is not lost.
 */
const PING_EVERY_MS = 2_000
const PING_PATIENCE_MS = 10_000
/** The patience is counted in steps of this length, so that a standstill of this process counts as one. */
const PING_STEP_MS = 500
/** Pause before the broker is tried again, in milliseconds. */
const RETRY = 100
/** A connection that the broker closed because the credentials came too late is tried again this often. */
const LATE_ANSWERS = 5

export type Receiver = (subject: string, data: Uint8Array, reply: string) => void

export class Bus {
  readonly connection: Connection
  readonly nats: NatsConnection
  /** Since when it is connected, by `performance.now()`; `undefined` while it is away. */
  since: number | undefined = performance.now()
  /** Called when it is connected again. */
  readonly back = new Set<() => void>()
  /** Called when the connection is lost. */
  readonly away = new Set<() => void>()
  /** Told of each subject that this user may not publish to, without `cf.<namespace>.`. */
  readonly refused = new Set<(subject: string) => void>()
  readonly #prefix: string
  readonly #pings: NodeJS.Timeout
  #pinging = false

  /** Rejects with `BrokerError` when no server answers (`"unreachable"`), or none lets us in (`"permission"`). */
  static async connect(connection: Connection, name: string): Promise<Bus> {
    const options = {
      ...connectionOptions(connection),
      name,
      maxReconnectAttempts: -1,
      // A program that computes may answer the broker too late, and more than once.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: RETRY,
      reconnectJitter: RETRY,
      noEcho: true,
      // Ours does not keep the process alive.
      pingInterval: 2 ** 31 - 1
    }
    for (let late = 0;; late++) {
      try {
        return new Bus(connection, await connect(options))
      } catch (cause) {
        // This program computed while the broker waited for its credentials.
        if (!isAuthenticationTimeout(cause) || late === LATE_ANSWERS) throw unreachable(connection, cause)
      }
    }
  }

  private constructor(connection: Connection, nats: NatsConnection) {
    this.connection = connection
    this.nats = nats
    this.#prefix = `cf.${connection.namespace}.`
    this.#unref()
    this.#pings = setInterval(() => this.#ping(), PING_EVERY_MS)
    this.#pings.unref()
    void this.#follow()
  }

  /** The longest message that the broker takes, in bytes. */
  get maxPayload(): number {
    return this.nats.info?.max_payload ?? 2 ** 20
  }

  /**
   * `subject` without `cf.<namespace>.`. Silent while the connection is away. What is long comes in two parts: the second is not copied, and does not change
   * until it is sent.
   */
  publish(subject: string, payload?: Uint8Array, rest?: Uint8Array): void {
    if (this.since === undefined || this.nats.isClosed()) return
    if (rest === undefined) this.nats.publish(this.#prefix + subject, payload)
    else this.#write(this.#prefix + subject, payload!, rest)
  }

  /** Past the client, which would put all parts of all messages together first. What is published in one turn leaves in one call of the system. */
  #write(subject: string, head: Uint8Array, rest: Uint8Array): void {
    const { protocol } = this.#inside
    const { socket } = protocol.transport
    if (socket === undefined) return this.nats.publish(subject, Buffer.concat([head, rest]))
    protocol.flushPending()
    if (socket.writableCorked === 0) {
      socket.cork()
      queueMicrotask(() => socket.uncork())
    }
    socket.write(Buffer.concat([Buffer.from(`PUB ${subject} ${head.length + rest.length}\r\n`), head]))
    socket.write(rest)
    socket.write(CRLF)
  }

  tell(subject: string, message: unknown): void {
    this.publish(subject, encoder.encode(JSON.stringify(message)))
  }

  /** Receivers do not throw. Subjects are told without `cf.<namespace>.`. */
  subscribe(subject: string, receiver: Receiver): void {
    const cut = this.#prefix.length
    this.nats.subscribe(this.#prefix + subject, {
      callback: (error, message) => {
        if (error !== null) return
        try {
          receiver(message.subject.slice(cut), message.data, message.reply ?? "")
        } catch (cause) {
          // The client would close the connection, with everything on it.
          process.emitWarning(`A message on ${message.subject} could not be taken: ${String(cause)}`, "FuturesWarning")
        }
      }
    })
  }

  answer(reply: string, word = ""): void {
    if (reply !== "" && !this.nats.isClosed()) this.nats.publish(reply, word)
  }

  /** Asks, and resolves with the word that is answered; `undefined` when there is none in time. */
  async ask(subject: string, message: unknown, timeout: number): Promise<string | undefined> {
    try {
      const answer = await this.nats.request(this.#prefix + subject, JSON.stringify(message), { timeout })
      return answer.string()
    } catch {
      return undefined
    }
  }

  /** Asks whether somebody listens to a subject, and takes what is told: `"nobody"` is certain, `"silence"` is not. */
  async probe(subject: string, timeout: number, payload?: Uint8Array): Promise<"answered" | "nobody" | "silence"> {
    try {
      await this.nats.request(this.#prefix + subject, payload, { timeout })
      return "answered"
    } catch (error) {
      const nobody = error instanceof NoRespondersError ||
        (error instanceof RequestError && error.isNoResponders())
      return nobody ? "nobody" : "silence"
    }
  }

  /** Resolves when the broker has taken everything that was published. */
  async flush(): Promise<void> {
    if (this.since !== undefined && !this.nats.isClosed()) await this.nats.flush().catch(() => {})
  }

  async close(): Promise<void> {
    clearInterval(this.#pings)
    this.back.clear()
    this.away.clear()
    await this.flush()
    await this.nats.close()
  }

  async #follow(): Promise<void> {
    for await (const status of this.nats.status()) {
      const { type } = status
      if (type === "disconnect") {
        if (this.since === undefined) continue
        this.since = undefined
        for (const called of this.away) called()
      } else if (type === "reconnect") {
        this.since = performance.now()
        this.#unref()
        for (const told of this.back) told()
      } else if (type === "error" && status.error instanceof PermissionViolationError) {
        const { operation, subject } = status.error
        if (operation !== "publish") continue
        for (const told of this.refused) told(subject.slice(this.#prefix.length))
      }
    }
  }

  /** A connection whose other end vanished without a word is found out here, and made anew. */
  #ping(): void {
    if (this.since === undefined || this.#pinging) return
    const { since } = this
    this.#pinging = true
    let answered = false
    const end = (): void => void (answered = true)
    this.nats.flush().then(end, end)
    let left = PING_PATIENCE_MS / PING_STEP_MS
    const look = async (): Promise<void> => {
      this.#pinging = !answered && --left > 0 && this.since === since
      if (this.#pinging) return void setTimeout(later, PING_STEP_MS).unref()
      if (!answered && this.since === since && !this.nats.isClosed()) await this.nats.reconnect()
    }
    // Timers run before sockets are read.
    const later = (): void => void setImmediate(() => void look())
    setTimeout(later, PING_STEP_MS).unref()
  }

  /** What the client has no words for. */
  get #inside(): Inside {
    return this.nats as unknown as Inside
  }

  #unref(): void {
    const { protocol } = this.#inside
    protocol.transport.socket?.unref()
    protocol.heartbeats.timer?.unref()
  }
}

interface Inside {
  readonly protocol: {
    readonly transport: { readonly socket?: Socket }
    readonly heartbeats: { readonly timer?: NodeJS.Timeout }
    /** Hands what was published to the socket. */
    readonly flushPending: () => void
  }
}

const CRLF = Buffer.from("\r\n")
const isAuthenticationTimeout = (error: unknown): boolean =>
  error instanceof AuthorizationError && /authentication timeout/i.test(error.message)

const unreachable = ({ servers }: Connection, cause: unknown): BrokerError => {
  const isRefused = cause instanceof AuthorizationError
  const why = cause instanceof Error ? cause.message : String(cause)
  const what = isRefused ? "does not let us in" : "cannot be reached"
  const message = `The broker on ${servers.join(", ")} ${what}: ${why}`
  return new BrokerError({ reason: isRefused ? "permission" : "unreachable", message, cause })
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A control message; `undefined` for what is none. */
export const parse = <A>(data: Uint8Array): A | undefined => {
  try {
    return JSON.parse(decoder.decode(data)) as A
  } catch {
    return undefined
  }
}
