/** The channel between a client and a worker, and the bus that carries it. */
import { fc, it } from "@fast-check/vitest"
import { Broker } from "@futures/cluster-executor"
import { describe, expect, onTestFinished } from "vitest"
import { Bus } from "../src/wire/Bus.ts"
import { Channel, Kind } from "../src/wire/Channel.ts"

/** Two ends, and what is on its way from each to the other. */
const pair = () => {
  const ways: [Array<Uint8Array>, Array<Uint8Array>] = [[], []]
  const arrived: [Array<Uint8Array>, Array<Uint8Array>] = [[], []]
  const end = (at: 0 | 1): Channel =>
    new Channel(
      2 ** 20,
      (head, rest) => ways[at].push(rest === undefined ? Uint8Array.from(head) : Buffer.concat([head, rest])),
      (_, payload) => arrived[at].push(payload)
    )
  const ends = [end(0), end(1)] as const
  onTestFinished(() => ends.forEach((each) => each.close()))
  /** Lets a message arrive, or loses it. */
  const move = (from: 0 | 1, isLost: boolean): void => {
    const message = ways[from].shift()
    if (message !== undefined && !isLost) ends[1 - from]!.receive(message)
  }
  const moveAll = (): void => {
    while (ways[0].length + ways[1].length > 0) for (const from of [0, 1] as const) move(from, false)
  }
  return { ends, arrived, move, moveAll }
}

const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 64 }) },
  fc.integer({ min: 4_000, max: 5_000 }),
  fc.integer({ min: 0, max: 100_000 })
)
const step = fc.oneof(
  fc.record({ send: fc.constantFrom(0, 1), length: bytes }),
  { weight: 3, arbitrary: fc.record({ move: fc.constantFrom(0, 1), isLost: fc.boolean() }) }
)

describe("A channel", () => {
  it.prop([fc.array(step, { maxLength: 60 })])(
    "delivers what was sent once and in order, both ways, whatever the bus lost meanwhile",
    (steps) => {
      const { arrived, ends, move, moveAll } = pair()
      const sent: [Array<Uint8Array>, Array<Uint8Array>] = [[], []]
      let seed = 0
      for (const each of steps) {
        if ("move" in each) {
          move(each.move as 0 | 1, each.isLost)
          continue
        }
        const from = each.send as 0 | 1
        const payload = new Uint8Array(each.length).fill(++seed)
        sent[from].push(payload)
        ends[from].send(Kind.Bytes, payload)
      }
      // The connection is back.
      for (const end of ends) end.resync()
      moveAll()
      for (const from of [0, 1] as const) {
        expect(Buffer.compare(Buffer.concat(arrived[1 - from]!), Buffer.concat(sent[from]))).toBe(0)
      }
    }
  )

  it("sends what is long from where it lies", () => {
    const payload = new Uint8Array(2 ** 17)
    const rests: Array<Uint8Array> = []
    const channel = new Channel(2 ** 20, (_, rest) => rest !== undefined && rests.push(rest), () => {})
    onTestFinished(() => channel.close())
    channel.send(Kind.Bytes, payload)
    expect(rests.reduce((sum, { length }) => sum + length, 0)).toBe(payload.length)
    expect(new Set(rests.map(({ buffer }) => buffer))).toEqual(new Set([payload.buffer]))
  })
})

describe("A bus", () => {
  it("keeps the order of what is long and comes in two parts, and what is short", { timeout: 20_000 }, async () => {
    const broker = await Broker.start()
    onTestFinished(() => broker.stop())
    const connection = { servers: broker.servers, credentials: broker.credentials, namespace: "default" }
    const [from, to] = await Promise.all([Bus.connect(connection, "from"), Bus.connect(connection, "to")])
    onTestFinished(async () => void await Promise.all([from.close(), to.close()]))
    const count = 300
    const all = Promise.withResolvers<void>()
    const arrived: Array<string> = []
    to.subscribe("bytes", (_, data) => {
      const ends = [data[0]!, data[1]!, data.at(-1)!]
      if (arrived.push(`${ends.join()} of ${data.length}`) === count) all.resolve()
    })
    await to.flush()
    const expected: Array<string> = []
    for (let i = 0; i < count; i++) {
      const n = i % 256
      const rest = new Uint8Array(1 + i * i % 100_000).fill(n)
      if (i % 3 === 0) from.publish("bytes", Uint8Array.of(7, n, n))
      else from.publish("bytes", Uint8Array.of(7, n), rest)
      expected.push(`7,${n},${n} of ${i % 3 === 0 ? 3 : 2 + rest.length}`)
    }
    // Its connection does not keep the process alive; the test does.
    await all.promise
    expect(arrived).toEqual(expected)
  })
})
