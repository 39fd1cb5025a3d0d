/** The thread of a `LinkProxy`: accepts connections and carries their bytes to the target and back, under the conditions. */
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { parentPort, workerData } from "node:worker_threads"
import type { LinkConditions, ProxyRequest } from "./proxy.ts"

/** A link that limits bandwidth holds this many bytes per direction before it stops reading. */
const BUFFER_BYTES = 256 * 1024

const { target, conditions: given } = workerData as { readonly target: string; readonly conditions: LinkConditions }
let conditions = given
let isPaused = false
const directions = new Set<Direction>()

/** One direction of one connection. */
class Direction {
  readonly #to: Socket
  readonly #from: Socket
  /** Bytes on their way, oldest first, each with the time of its arrival (`performance.now()`); `undefined` is the end. */
  #held: Array<{ readonly bytes: Buffer | undefined; readonly at: number }> = []
  #heldBytes = 0
  /** When the last byte that is on its way arrives. */
  #lastAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
    directions.add(this)
    from.on("data", (bytes: Buffer) => this.#take(bytes))
    from.on("end", () => this.#take(undefined))
    from.on("error", () => this.cut())
    to.on("drain", () => this.#regulate())
    from.on("close", (hadError) => {
      if (hadError) this.cut()
    })
    to.on("close", () => this.#end())
  }

  /** Delivers what has arrived, and waits for the rest. */
  deliver(): void {
    clearTimeout(this.#timer)
    if (isPaused) return
    // A timer is accurate to a millisecond: half of one too early is as good as too late.
    const now = performance.now() + 0.5
    let count = 0
    this.#to.cork()
    for (; count < this.#held.length && this.#held[count]!.at <= now; count++) {
      const { bytes } = this.#held[count]!
      if (bytes === undefined) this.#to.end()
      else this.#to.write(bytes)
      this.#heldBytes -= bytes?.length ?? 0
    }
    this.#to.uncork()
    if (count > 0) this.#held = this.#held.slice(count)
    const next = this.#held[0]
    if (next !== undefined) this.#timer = setTimeout(() => this.deliver(), Math.max(1, Math.round(next.at - now)))
    this.#regulate()
  }

  cut(): void {
    reset(this.#from)
    reset(this.#to)
    this.#end()
  }

  #take(bytes: Buffer | undefined): void {
    const { bytesPerSecond = Infinity, delayMs = 0, jitterMs = 0 } = conditions
    const now = performance.now()
    const duration = (bytes?.length ?? 0) * 1_000 / bytesPerSecond
    const at = Math.max(now + delayMs + jitterMs * Math.random(), this.#lastAt) + duration
    this.#lastAt = at
    this.#held.push({ bytes, at })
    this.#heldBytes += bytes?.length ?? 0
    if (this.#held.length === 1) this.deliver()
    else this.#regulate()
  }

  /** Reads no more than the link holds, and no faster than the other end takes it. */
  #regulate(): void {
    const { bytesPerSecond = Infinity } = conditions
    const isFull = bytesPerSecond !== Infinity && this.#heldBytes > BUFFER_BYTES
    if (isFull || this.#to.writableNeedDrain) this.#from.pause()
    else if (this.#from.isPaused()) this.#from.resume()
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#held = []
    directions.delete(this)
    this.#from.destroy()
  }
}

/** A socket whose end was written already cannot be reset: libuv refuses it, and the socket would stay open. */
const reset = (socket: Socket): void => void (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy())

const carry = (from: Socket, to: Socket): Direction => new Direction(from, to)

const host = target.slice(0, target.lastIndexOf(":"))
const port = Number(target.slice(target.lastIndexOf(":") + 1))

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const other = connect({ host, port, allowHalfOpen: true, noDelay: true })
  carry(socket, other)
  carry(other, socket)
})

const perform = (request: ProxyRequest): number => {
  switch (request.type) {
    case "change":
      conditions = request.conditions
      return 0
    case "connections":
      return Math.ceil(directions.size / 2)
    case "pause":
      isPaused = true
      return 0
    case "resume":
      isPaused = false
      for (const direction of directions) direction.deliver()
      return 0
    case "cut":
      for (const direction of directions) direction.cut()
      return 0
    case "close":
      for (const direction of directions) direction.cut()
      server.close()
      parentPort!.close()
      return 0
  }
}

parentPort!.on("message", (request: ProxyRequest) => parentPort!.postMessage(perform(request)))
server.listen(0, "127.0.0.1", () => parentPort!.postMessage((server.address() as AddressInfo).port))
