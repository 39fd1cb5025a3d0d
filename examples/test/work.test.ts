/** The examples that do real work, as programs, on each backend. */
import { serve } from "@hono/node-server"
import jpeg from "jpeg-js"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { json } from "node:stream/consumers"
import { afterAll, describe, expect, it } from "vitest"
import { backends } from "../backends.ts"
import { app } from "../work/http/app.ts"
import { run } from "./program.ts"

const work = new URL("../work/", import.meta.url).pathname
const everywhere = ["thread", "process", "inline"] as const

const folder = mkdtempSync(join(tmpdir(), "futures-work-"))
afterAll(() => rmSync(folder, { recursive: true }))

describe("hash-tree", () => {
  const tree = join(folder, "tree")
  mkdirSync(join(tree, "a/b"), { recursive: true })
  const contents = { "a/b/large": "0123456789".repeat(300_000), "a/empty": "", "a/one": "one", z: "\0\xff" }
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(tree, name), content)

  it.for(everywhere)("names each file with its digest, in order, and shows how far it is, on %s", async (backend) => {
    const { exitCode, stderr, stdout } = await run(`${work}hash-tree/main.ts`, { EXECUTOR_BACKEND: backend }, [tree])
    const digest = (content: string): string => createHash("sha256").update(content).digest("hex")
    const lines = Object.entries(contents).map(([name, content]) => `${digest(content)}  ${join(tree, name)}\n`)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: lines.join("") })
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^█+ 100% \| 4\/4 files \| 0 failed/)
  })
})

describe("thumbnails", () => {
  const photos = join(folder, "photos")
  mkdirSync(photos)
  /** Red on the left, blue on the right. */
  const photo = (width: number, height: number): Uint8Array => {
    const data = new Uint8Array(width * height * 4)
    for (let at = 0; at < width * height; at++) {
      data.set(at % width < width / 2 ? [255, 0, 0, 255] : [0, 0, 255, 255], at * 4)
    }
    return jpeg.encode({ width, height, data }, 90).data
  }
  writeFileSync(join(photos, "1-wide.jpg"), photo(640, 200))
  writeFileSync(join(photos, "2-broken.jpeg"), "no photo")
  writeFileSync(join(photos, "3-tiny.jpg"), photo(40, 80))
  writeFileSync(join(photos, "notes.txt"), "not for us")

  it.for(everywhere)("are small, look alike, and a file that is no photo is named, on %s", async (backend) => {
    const out = join(folder, `thumbnails-${backend}`)
    const ended = await run(`${work}thumbnails/main.ts`, { EXECUTOR_BACKEND: backend }, [photos, out])
    expect(ended).toMatchObject({ exitCode: 0, stderr: "" })
    expect(ended.stdout).toMatch(/^1-wide\.jpg: \d+ bytes\n2-broken\.jpeg: .+\n3-tiny\.jpg: \d+ bytes\n$/)
    expect(readdirSync(out)).toEqual(["1-wide.jpg", "3-tiny.jpg"])
    const [wide, tiny] = ["1-wide.jpg", "3-tiny.jpg"].map((name) => jpeg.decode(readFileSync(join(out, name))))
    expect([wide!.width, wide!.height, tiny!.width, tiny!.height]).toEqual([160, 50, 40, 80])
    const [left, right] = [10, 150].map((x) => [...wide!.data.subarray((25 * 160 + x) * 4, (25 * 160 + x) * 4 + 3)])
    for (const [seen, meant] of [[left!, [255, 0, 0]], [right!, [0, 0, 255]]] as const) {
      for (const [channel, value] of seen.entries()) expect(Math.abs(value - meant[channel]!)).toBeLessThan(30)
    }
  })
})

describe.each(["thread", "process"] as const)("http on %s", (backend) => {
  const forEver = 2 ** 40

  /** A server with one worker, and whether its numbers have come to be as they should. */
  const open = async (maxPending: number) => {
    const executor = new backends[backend]({ maxWorkers: 1, maxPending, whenFull: "reject", grace: "50 millis" })
    const server = serve({ fetch: app(executor).fetch, port: 0 })
    await once(server, "listening")
    const url = `http://localhost:${(server.address() as AddressInfo).port}`
    return {
      url,
      /** Asks for the numbers until they are so. */
      until: async (numbers: Readonly<Record<string, number>>): Promise<void> => {
        for (;;) {
          const seen = await (await fetch(`${url}/health`)).json() as Record<string, number>
          if (Object.entries(numbers).every(([name, value]) => seen[name] === value)) return
        }
      },
      [Symbol.asyncDispose]: async () => {
        server.close()
        await executor.terminate()
      }
    }
  }

  it("answers while it computes, and stops computing when the client leaves", async () => {
    await using server = await open(10)
    const client = new AbortController()
    const left = fetch(`${server.url}/primes/${forEver}`, { signal: client.signal }).catch((error: Error) => error.name)
    // Each look is an answer that was given while the worker was in a loop that does not end.
    await server.until({ running: 1 })
    client.abort()
    expect(await left).toBe("AbortError")
    await server.until({ running: 0, cancelled: 1 })
    expect(await (await fetch(`${server.url}/primes/100`)).json()).toEqual({ primes: 25 })
  })

  it("refuses what it cannot serve", async () => {
    await using server = await open(1)
    const client = new AbortController()
    const ask = () => fetch(`${server.url}/primes/${forEver}`, { signal: client.signal }).catch(() => undefined)
    const running = ask()
    await server.until({ running: 1 })
    const waiting = ask()
    await server.until({ pending: 1 })
    const refused = await fetch(`${server.url}/primes/100`)
    expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([503, "1", {
      error: "busy"
    }])
    client.abort()
    expect(await Promise.all([running, waiting])).toEqual([undefined, undefined])
    await server.until({ running: 0, pending: 0, cancelled: 2 })
  })
})

describe("monte-carlo", () => {
  it.for(everywhere)("tells of better and better estimates until one is good enough, on %s", async (backend) => {
    const ended = await run(`${work}monte-carlo/main.ts`, { EXECUTOR_BACKEND: backend }, ["0.004"])
    expect(ended).toMatchObject({ exitCode: 0, stderr: "" })
    const estimates = ended.stdout.trimEnd().split("\n").map((line) =>
      /^pi = ([\d.]+) ± ([\d.]+) after (\d+) darts$/.exec(line)!.slice(1).map(Number) as [number, number, number]
    )
    expect(estimates.length).toBeGreaterThan(1)
    for (const [index, [pi, error, thrown]] of estimates.entries()) {
      expect(Math.abs(pi - Math.PI)).toBeLessThan(5 * error)
      expect(thrown).toBe((index + 1) * 50_000)
      expect(error < 0.004).toBe(index === estimates.length - 1)
    }
  })
})

describe("service", () => {
  it.for(everywhere)("lets in who knows the password, on %s", async (backend) => {
    expect(await run(`${work}service/main.ts`, { EXECUTOR_BACKEND: backend })).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: "ada is in\ngrace is not let in\n"
    })
  })
})

describe("telemetry", () => {
  interface Attribute {
    readonly key: string
    readonly value: { readonly stringValue?: string }
  }
  interface Span {
    readonly name: string
    readonly traceId: string
    readonly spanId: string
    readonly parentSpanId?: string
    readonly service: string
  }

  const valueOf = (attributes: ReadonlyArray<Attribute>, name: string): string | undefined =>
    attributes.find(({ key }) => key === name)?.value.stringValue

  /** A collector that keeps what it is sent, by path. */
  const collector = async () => {
    const received: Array<readonly [path: string, body: any]> = []
    const server = createServer((request, response) => {
      void json(request).then((body) => {
        received.push([request.url!, body])
        response.setHeader("content-type", "application/json").end("{}")
      })
    })
    await once(server.listen(0), "listening")
    const sentTo = (path: string): Array<any> => received.filter(([to]) => to === path).map(([, body]) => body)
    return {
      url: `http://localhost:${(server.address() as AddressInfo).port}`,
      spans: (): Array<Span> =>
        sentTo("/v1/traces").flatMap(({ resourceSpans }) => resourceSpans).flatMap(({ resource, scopeSpans }) =>
          scopeSpans.flatMap(({ spans }: { spans: Array<Span> }) =>
            spans.map((span) => ({ ...span, service: valueOf(resource.attributes, "service.name") }))
          )
        ),
      metrics: (): Array<any> =>
        sentTo("/v1/metrics").flatMap(({ resourceMetrics }) => resourceMetrics)
          .flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics),
      [Symbol.asyncDispose]: async () => {
        server.close()
        await once(server, "close")
      }
    }
  }

  it.for(["thread", "process"])(
    "arrives at a collector, each span beneath the one that it belongs to, on %s",
    async (backend) => {
      await using collecting = await collector()
      const env = { EXECUTOR_BACKEND: backend, OTEL_EXPORTER_OTLP_ENDPOINT: collecting.url }
      expect(await run(`${work}telemetry/main.ts`, env)).toMatchObject({
        exitCode: 0,
        stderr: "",
        stdout: "total: 1500\n"
      })

      const spans = collecting.spans()
      const lineage = (span: Span): string => {
        const parent = spans.find(({ spanId, traceId }) => spanId === span.parentSpanId && traceId === span.traceId)
        return `${span.service} ${span.name}${parent === undefined ? "" : ` < ${lineage(parent)}`}`
      }
      const submit = "shop submit priceOf < shop order"
      expect(spans.map(lineage).toSorted()).toEqual([
        "shop order",
        ...Array(3).fill(`shop queue priceOf < ${submit}`),
        ...Array(3).fill(`shop run priceOf < ${submit}`),
        ...Array(3).fill(submit),
        ...Array(3).fill(`shop-worker look up the price < shop run priceOf < ${submit}`)
      ])

      const calls = collecting.metrics().findLast(({ name }) => name === "futures.calls")
      expect(calls).toMatchObject({ unit: "{call}", sum: { isMonotonic: true, dataPoints: [{ asDouble: 3 }] } })
      expect(valueOf(calls.sum.dataPoints[0].attributes, "futures.call.outcome")).toBe("succeeded")
      expect(valueOf(calls.sum.dataPoints[0].attributes, "futures.executor.name")).toBe("shop")
    }
  )
})

it("every example of real work is tested here, or tests itself", () => {
  const tests = import.meta.dirname
  const source = readdirSync(tests).filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(tests, file), "utf8")).join("\n")
  const untested = readdirSync(work, { withFileTypes: true }).filter((entry) => entry.isDirectory()).filter((
    { name }
  ) =>
    !source.includes(`work/${name}/`) && !source.includes(`{work}${name}/`) &&
    !readdirSync(join(work, name)).some((file) => file.endsWith(".test.ts"))
  )
  expect(untested.map(({ name }) => name)).toEqual([])
})
