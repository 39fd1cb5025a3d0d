/** What tests on a cluster share: clusters that end with the test, files that tasks write to and wait for. */
import { Cluster } from "@futures/cluster-executor"
import type { ClusterStartOptions } from "@futures/cluster-executor"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"

/** A cluster of this test. Engines that the test ends stay away, unless `restart` says otherwise. */
export const start = async (options: ClusterStartOptions): Promise<Cluster> => {
  const cluster = await Cluster.start({ restart: false, ...options })
  onTestFinished(() => cluster.terminate())
  await cluster.waitForEngines(options.engines ?? 2)
  return cluster
}

/** A folder of this test. */
export const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), "futures-cluster-test-"))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A notebook that tasks write to, and a gate that they wait for. */
export const scene = () => {
  const path = folder()
  const [notebook, gate] = [join(path, "notebook"), join(path, "gate")]
  writeFileSync(notebook, "")
  const lines = (): Array<string> => readFileSync(notebook, "utf8").split("\n").slice(0, -1)
  return {
    notebook,
    gate,
    lines,
    open: () => writeFileSync(gate, ""),
    /** Resolves when tasks have written so many lines. */
    written: (count: number) => until(() => lines().length >= count)
  }
}

/** Looks again and again until it is so; the test's own limit ends a wait in vain. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
