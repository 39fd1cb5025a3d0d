/** The hosts of the tests are what they are taken for: reached by their cable alone, which can be cut, mended and slowed. */
import { Broker } from "@futures/cluster-executor"
import { once } from "node:events"
import { buffer, text } from "node:stream/consumers"
import { describe, expect, it, onTestFinished } from "vitest"
import { openHost, whyNoHosts, whyNotSlow } from "./hosts.ts"
import type { Host } from "./hosts.ts"

/** Connects to the broker from there; answers with the first word of what it says, or with what is in the way. 0: waits for as long as the system does. */
const greet = async (host: Host, broker: Broker, patience = 0): Promise<string> => {
  const [address, port] = broker.servers[0]!.split(":")
  const program = `
    const socket = require("node:net").connect(${port}, "${address}")
    socket.setTimeout(${patience}, () => socket.destroy(new Error("silence")))
    socket.once("data", (data) => { console.log(String(data).split(" ")[0]); socket.destroy() })
    socket.once("error", (error) => console.log(error.message))
  `
  const child = host.spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] })
  return (await text(child.stdout!)).trim()
}

describe.skipIf(whyNoHosts !== undefined)("A host of the tests", () => {
  const opened = async () => {
    const host = openHost()
    const broker = await Broker.start({ host: host.gateway })
    onTestFinished(() => broker.stop())
    return { host, broker }
  }

  it("reaches a broker by its cable, does not when it is cut, and does again when it is mended", async () => {
    const { broker, host } = await opened()
    expect(await greet(host, broker)).toBe("INFO")
    host.cut()
    expect(await greet(host, broker, 300)).toMatch(/silence|EHOSTUNREACH|ENETUNREACH/)
    host.mend()
    expect(await greet(host, broker)).toBe("INFO")
  })

  it("does not reach what listens on this machine's loopback", async () => {
    const host = openHost()
    const broker = await Broker.start()
    onTestFinished(() => broker.stop())
    expect(await greet(host, broker)).toMatch(/ECONNREFUSED/)
  })

  it("takes its programs with it when it goes", async () => {
    const host = openHost()
    const child = host.spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    await once(child.stdout!, "data")
    const ended = once(child, "exit")
    host.remove()
    expect(await ended).toEqual([null, "SIGKILL"])
  })

  it.skipIf(whyNotSlow !== undefined)("takes its time where it is slow", async () => {
    const host = openHost()
    host.slow(8_000_000)
    const { createServer } = await import("node:net")
    const server = createServer((socket) => socket.end(new Uint8Array(500_000))).listen(0, host.gateway)
    onTestFinished(() => void server.close())
    await once(server, "listening")
    const { port } = server.address() as { readonly port: number }
    const start = performance.now()
    const program = `require("node:net").connect(${port}, "${host.gateway}").pipe(process.stdout)`
    const child = host.spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] })
    expect((await buffer(child.stdout!)).length).toBe(500_000)
    // A megabyte a second: a machine under load is slower still, but never faster.
    expect(performance.now() - start).toBeGreaterThan(400)
  })
})
