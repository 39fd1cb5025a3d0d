/** The command `futures-cluster`, as a terminal beside this program would run it. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** What `npx futures-cluster` finds. */
const command = join(
  dirname(fileURLToPath(import.meta.resolve("@futures/cluster-executor/package.json"))),
  "src/cli/main.ts"
)

/** Runs `futures-cluster start ...args` until it is disposed of; resolves when the cluster runs. */
export const startCluster = async (...args: ReadonlyArray<string>): Promise<AsyncDisposable> => {
  // A file of its own, so that it is not in the way of a cluster that you have.
  const folder = mkdtempSync(join(tmpdir(), "futures-cluster-"))
  process.env["FUTURES_CLUSTER"] = join(folder, "cluster.json")
  const child = spawn(process.execPath, [command, "start", ...args], { stdio: ["ignore", "pipe", "inherit"] })
  const ended = once(child, "exit")
  const end = (): void => void child.kill()
  process.once("exit", end)
  for await (const line of createInterface(child.stdout)) if (line.startsWith("described in")) break
  child.stdout.resume()
  return {
    [Symbol.asyncDispose]: async () => {
      end()
      await ended
      process.off("exit", end)
      rmSync(folder, { recursive: true })
    }
  }
}
