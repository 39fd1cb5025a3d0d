/** The proxy that stands for a network link. */
import { openLink } from "@futures/testkit"
import assert from "node:assert/strict"
import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { onTestFinished, test } from "vitest"

/** A server that sends everything back, and its address. */
const echoing = async (): Promise<string> => {
  const server = createServer((socket) => {
    socket.on("error", () => {})
    socket.pipe(socket)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const connected = async (address: string): Promise<Socket> => {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1")
  await once(socket, "connect")
  // Some of the links here are cut.
  socket.on("error", () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}

/** Resolves with the first `length` bytes that arrive. */
const received = async (socket: Socket, length: number): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for (let bytes = 0; bytes < length;) {
    const [chunk] = await once(socket, "data") as [Buffer]
    chunks.push(chunk)
    bytes += chunk.length
  }
  return Buffer.concat(chunks)
}

test("Bytes arrive complete and in order over a link with jitter and limited bandwidth", async () => {
  await using link = await openLink(await echoing(), { delayMs: 2, jitterMs: 5, bytesPerSecond: 8 * 2 ** 20 })
  const socket = await connected(link.address)
  const sent = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => index % 251))
  for (let at = 0; at < sent.length; at += 10_000) socket.write(sent.subarray(at, at + 10_000))
  assert.ok((await received(socket, sent.length)).equals(sent))
})

test("A link with a delay answers after one without", async () => {
  const target = await echoing()
  await using near = await openLink(target)
  await using far = await openLink(target, { delayMs: 100 })
  const order: Array<string> = []
  const sockets = { far: await connected(far.address), near: await connected(near.address) }
  const trips = Object.entries(sockets).map(async ([name, socket]) => {
    socket.write("x")
    await received(socket, 1)
    order.push(name)
  })
  await Promise.all(trips)
  assert.deepEqual(order, ["near", "far"])
})

test("A paused link holds bytes until it is resumed", async () => {
  const target = await echoing()
  await using link = await openLink(target)
  await using other = await openLink(target)
  const [held, free] = [await connected(link.address), await connected(other.address)]
  await link.pause()
  let isHeld = true
  held.once("data", () => isHeld = false)
  held.write("x")
  free.write("x")
  await received(free, 1)
  assert.ok(isHeld)
  const arrival = received(held, 1)
  await link.resume()
  await arrival
})

test("A cut link resets its connections and accepts new ones", async () => {
  await using link = await openLink(await echoing())
  const socket = await connected(link.address)
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()))
  socket.write("x")
  await received(socket, 1)
  assert.equal(await link.connections(), 1)
  await link.cut()
  await closed
  assert.equal(await link.connections(), 0)
  const next = await connected(link.address)
  next.write("x")
  await received(next, 1)
})
