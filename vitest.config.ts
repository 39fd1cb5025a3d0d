import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { agreement } from "./packages/testkit/test/agreement.ts"

// Workers, engines and programs that tests start load the same modules: they are compiled once, not by each anew.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("node_modules/.cache/tests", import.meta.url))

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "examples/test/**/*.test.ts", "examples/work/**/*.test.ts"],
    // A test file is a process of its own: a thread that cannot be stopped, or a crash, takes only that file with it.
    pool: "forks",
    reporters: ["default", agreement],
    // One more than there are cores: many tests wait for processes of theirs.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 30_000
  }
})
