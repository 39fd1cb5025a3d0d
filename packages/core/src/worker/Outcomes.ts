/** Outcomes on their way to the parent: collected, and sent together after the code that is running now. */
import { queueMicrotask } from "../timers.ts"
import { encodeError } from "../wire/error.ts"
import { HEADER, Kind, OUTCOME_STRIDE, Status } from "../wire/frames.ts"
import type { Frame } from "../wire/frames.ts"
import { cannotBeSent } from "../wire/oversize.ts"

/** Outcomes are sent when so many fields have come together, or so many milliseconds have passed. */
const FULL = 128 * OUTCOME_STRIDE
const LONGEST_HOLD = 0.5

export class Outcomes {
  readonly #send: (frame: Frame, transfers: ReadonlyArray<ArrayBuffer>) => void
  /** The executor and the generation that they belong to. */
  header: readonly [executor: number, generation: number] = [0, 0]
  #frame: Array<unknown> | undefined
  /** Buffers that go with them. */
  #transfers: Array<ArrayBuffer> = []
  /** When the latest came. */
  #addedAt = 0
  /** The same of the latest that was sent. */
  #flushedAt = 0

  constructor(send: (frame: Frame, transfers: ReadonlyArray<ArrayBuffer>) => void) {
    this.#send = send
  }

  /** `isLast`: no other call waits here. `now`: by the machine's clock. */
  add(wireId: number, status: Status, value: unknown, ran: number, isLast: boolean, now: number): void {
    if (this.#frame === undefined) {
      this.#frame = [Kind.Outcomes, this.header[0], this.header[1]]
      // Behind what tasks have just handed in themselves, which leaves in a microtask of its own: the parent is to hear of that before their outcomes.
      queueMicrotask(() => queueMicrotask(() => this.flush()))
    }
    this.#frame.push(wireId, status, value, ran)
    this.#addedAt = now
    // Calls that answer at once follow each other without a pause: what is done is told meanwhile, so that the parent hands over more in time.
    // Not the last: what its task has just handed in is to reach the parent before it.
    if (isLast) return
    if (this.#frame.length >= FULL || now - this.#flushedAt > LONGEST_HOLD) this.flush()
  }

  flush(): void {
    const frame = this.#frame
    if (frame === undefined) return
    this.#frame = undefined
    this.#flushedAt = this.#addedAt
    const transfers = this.takeTransfers()
    try {
      this.#send(frame, transfers)
    } catch (error) {
      this.#sendEach(frame, error)
    }
  }

  /** A frame could not be sent, since it is too long or cannot be serialized: a call whose outcome cannot be sent alone either fails. */
  #sendEach(frame: ReadonlyArray<unknown>, cause: unknown): void {
    const isOne = frame.length === HEADER + OUTCOME_STRIDE
    for (let at = HEADER; at < frame.length; at += OUTCOME_STRIDE) {
      const [wireId, , , ran] = frame.slice(at, at + OUTCOME_STRIDE)
      try {
        if (isOne) throw cause
        this.#send([...frame.slice(0, HEADER), ...frame.slice(at, at + OUTCOME_STRIDE)], [])
      } catch (error) {
        const refusal = encodeError(cannotBeSent(error, "result", "result"), { sharesMemory: false })
        this.#send([...frame.slice(0, HEADER), wireId, Status.Refused, refusal, ran], [])
      }
    }
  }

  /** Where buffers are added that go with the next frame. */
  get transfers(): Array<ArrayBuffer> {
    return this.#transfers
  }

  takeTransfers(): Array<ArrayBuffer> {
    const transfers = this.#transfers
    if (transfers.length > 0) this.#transfers = []
    return transfers
  }
}
