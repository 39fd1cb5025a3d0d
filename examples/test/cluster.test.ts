/** `cluster/compose.yaml`: its commands are those that the programs in it understand. And `docs/cluster.md` knows the words of the example. */
import { Cluster } from "@futures/cluster-executor"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { findBinary } from "../../packages/cluster-executor/src/broker/binary.ts"
import { where } from "../tasks/machine.ts"

const folder = new URL("..", import.meta.url).pathname
const compose = readFileSync(join(folder, "cluster/compose.yaml"), "utf8")

const commandOf = (service: string): ReadonlyArray<string> => {
  const [, list] = new RegExp(`^  ${service}:\\n(?:(?: {4}.*)?\\n)*? {4}command: (\\[[^\\]]*\\])`, "m").exec(compose)!
  return JSON.parse(list!)
}

/** A port that is free, for a server that cannot tell which one it took. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

it("compose.yaml starts a broker, and engines that run the examples' tasks", async () => {
  const store = mkdtempSync(join(tmpdir(), "futures-compose-"))
  const servers = [`127.0.0.1:${await freePort()}`]
  const credentials = { token: "secret" }
  const fill = (part: string) =>
    part.replace(/\$\{TOKEN.*\}/, credentials.token).replace("/data", store).replace("broker:4222", servers[0]!)
  const start = (command: string, args: ReadonlyArray<string>, cwd: string) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, FUTURES_CLUSTER_TOKEN: credentials.token },
      stdio: "ignore"
    })
    onTestFinished(() =>
      new Promise<void>((resolve) => {
        child.once("exit", () => resolve())
        if (child.exitCode !== null || !child.kill()) resolve()
      })
    )
  }
  onTestFinished(() => rmSync(store, { recursive: true, force: true }))
  start(
    findBinary(undefined),
    [...commandOf("broker").map(fill), "-a", "127.0.0.1", "-p", servers[0]!.split(":")[1]!],
    store
  )
  let cluster: Cluster | undefined
  while (cluster === undefined) {
    cluster = await Cluster.connect({ servers, credentials, root: folder }).catch(() => undefined)
  }
  await using connected = cluster
  const [node, ...args] = commandOf("engine").map(fill)
  expect(node).toBe("node")
  start(process.execPath, args, folder)
  const [engine] = await connected.waitForEngines(1)
  expect(engine!.slots).toBe(2)
  expect(await connected.direct(engine!.id).run(where)).toMatchObject({ pid: expect.any(Number) })
})

it("docs/cluster.md has every word of ipyparallel that the example retells", () => {
  const page = readFileSync(join(folder, "../docs/cluster.md"), "utf8")
  const [head] = readFileSync(join(folder, "13-cluster.ts"), "utf8").split("\n\n", 1)
  const python = head!.split("\n").filter((line) => /^\/\/ (Python:|  )/.test(line)).join("\n")
  const words = [...python.matchAll(/\b(\w+)(?=\()/g)].map(([word]) => word)
  expect(words.filter((word) => !["who", "where", "range", "load_words"].includes(word) && !page.includes(word)))
    .toEqual([])
  expect(words).toContain("load_balanced_view")
})
