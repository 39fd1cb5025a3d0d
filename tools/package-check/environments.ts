/** Where our packages must work, and where it is only tried. */

export type Backend = "thread" | "process"

type Words = readonly [string, ...Array<string>]

export interface Environment {
  readonly name: string
  /** What brings the programs: packages of npm, whose commands come first in `PATH`. */
  readonly tools: ReadonlyArray<string>
  readonly install: Words
  /** In JavaScript the project is the same, its types stripped. */
  readonly language: "js" | "ts"
  /** How types are resolved; absent where there are none. */
  readonly resolution?: "nodenext" | "bundler"
  /** A folder in `foreign` that is the project instead: it is not of ES modules, and brings its own tsconfig.json. */
  readonly foreign?: string
  /** Installed beside our packages, and files of their own. */
  readonly packages?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly build?: Words
  readonly run: (backend: Backend) => Words
  /** Whether what it wrote is right; by default, that the server served, and no worker ran the server as well. */
  readonly isRight?: (stdout: string, backend: Backend) => boolean
  /** Not promised: what happens is shown, and fails nothing. */
  readonly isTried?: true
}

const npm: Words = ["npm", "install", "--no-audit", "--no-fund", "--engine-strict", "--strict-peer-deps"]
const pnpm: Words = ["pnpm", "install", "--strict-peer-dependencies"]
const typescript = { typescript: "7", "@types/node": "24" }

const node = (version: string, manager: "npm" | "pnpm", language: "js" | "ts"): Environment => ({
  name: `Node ${version}, ${manager}, ${language === "js" ? "JavaScript" : "TypeScript (nodenext)"}`,
  tools: [`node@${version}`, "pnpm@12"],
  install: manager === "npm" ? npm : pnpm,
  language,
  ...(language === "ts" ? { resolution: "nodenext", packages: typescript } : {}),
  run: (backend) => ["node", `server.${language}`, backend]
})

/** A tool that takes TypeScript before Node sees it; its own idea of modules is that of a bundler. */
const through = (
  name: string,
  rest: Pick<Environment, "build" | "files" | "isRight" | "packages" | "run">
): Environment => ({
  tools: ["node@24"],
  install: npm,
  language: "ts",
  resolution: "bundler",
  ...rest,
  name,
  packages: { ...typescript, ...rest.packages }
})

/** Tasks are an entry of their own, so that they are a module of their own in what is built. */
const esbuild = (...options: ReadonlyArray<string>): Words => {
  const esm = ["--bundle", "--splitting", "--platform=node", "--format=esm", "--outdir=dist"]
  return ["node_modules/.bin/esbuild", "server.ts", "tasks.ts", ...esm, ...options]
}

const built = (backend: Backend): Words => ["node", "dist/server.js", backend]

const lawsOn = (backend: Backend): string => {
  const executor = { thread: "ThreadExecutor", process: "ProcessExecutor" }[backend]
  return `import { contract } from "@futures/testkit"
import { conformance } from "@futures/testkit/vitest"
import { ${executor} } from "@futures/${backend}-executor"

conformance({ name: "${backend}", executor: ${executor} }, {
  laws: contract.filter(({ concept }) => ["errors", "nested calls", "services"].includes(concept))
})
`
}

/** A project in CommonJS, from a folder of its own. */
const commonjs = (
  name: string,
  foreign: string,
  rest: Pick<Environment, "build" | "isRight" | "packages" | "run">,
  version = "24"
): Environment => ({ name, tools: [`node@${version}`], install: npm, language: "js", foreign, ...rest })

/** The last compiler that resolves modules as Node did before it had `exports`. */
const classic = { typescript: "5.9", "@types/node": "24" }

const tsc: Words = ["node_modules/.bin/tsc"]

/** Test files in realms of their own. */
const realms = `import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { types } from "node:util"
import { expect, test } from "vitest"
import { echo } from "./echo.ts"

test.each(["thread", "process"])("values from a %s have the built-in classes of another realm", async (name) => {
  const executor = name === "thread" ? new ThreadExecutor() : new ProcessExecutor()
  const values = await executor.run(echo, [new Date(0), [3]])
  expect(values).toEqual([new Date(0), [3]])
  expect(Array.isArray(values)).toBe(true)
  expect(values[0] instanceof Date).toBe(false)
  expect(types.isDate(values[0])).toBe(true)
  await executor.shutdown()
})
`

const echoTask = `import { Task } from "@futures/core"
export const { echo } = Task.module(import.meta, { echo: (value: ReadonlyArray<unknown>) => value })
`

const viteConfig = `export default { build: { ssr: true, rolldownOptions: { input: ["server.ts", "tasks.ts"] } } }\n`

export const environments: ReadonlyArray<Environment> = [
  node("22.19", "npm", "js"),
  node("24", "npm", "js"),
  node("26", "npm", "js"),
  node("22.19", "npm", "ts"),
  node("24", "npm", "ts"),
  node("26", "npm", "ts"),
  node("22.19", "pnpm", "js"),
  node("24", "pnpm", "ts"),
  node("26", "pnpm", "ts"),
  through("tsx, npm, TypeScript (bundler)", {
    packages: { tsx: "4" },
    run: (backend) => ["node_modules/.bin/tsx", "server.ts", backend]
  }),
  through("esbuild, packages external", {
    packages: { esbuild: "0.28" },
    build: esbuild("--packages=external"),
    run: built
  }),
  through("esbuild, packages bundled", {
    packages: { esbuild: "0.28" },
    build: esbuild(),
    run: built
  }),
  through("Vite (Rolldown)", {
    packages: { vite: "8" },
    files: { "vite.config.js": viteConfig },
    build: ["node_modules/.bin/vite", "build"],
    run: built
  }),
  through("Vitest, the laws of @futures/testkit", {
    packages: { vitest: "5", "@futures/testkit": "latest" },
    files: { "thread.test.ts": lawsOn("thread"), "process.test.ts": lawsOn("process") },
    run: (backend) => ["node_modules/.bin/vitest", "run", `${backend}.test.ts`],
    isRight: (stdout) => /Tests .*[1-9]\d* passed/.test(stdout)
  }),
  through("Vitest, pool vmThreads", {
    packages: { vitest: "5" },
    files: { "realms.test.ts": realms, "echo.ts": echoTask },
    run: () => ["node_modules/.bin/vitest", "run", "--pool=vmThreads", "realms.test.ts"],
    isRight: (stdout) => /Tests .*2 passed/.test(stdout)
  }),
  commonjs(
    "CommonJS, Node 22.19, JavaScript",
    "javascript",
    { run: (backend) => ["node", "server.js", backend] },
    "22.19"
  ),
  commonjs("CommonJS, Node 24, JavaScript", "javascript", { run: (backend) => ["node", "server.js", backend] }),
  commonjs("CommonJS, TypeScript (node10)", "typescript", {
    packages: classic,
    build: tsc,
    run: (backend) => ["node", "dist/server.js", backend]
  }),
  commonjs("CommonJS, NestJS (node10)", "nest", {
    packages: {
      ...classic,
      "@nestjs/common": "11",
      "@nestjs/core": "11",
      "@nestjs/platform-express": "11",
      "reflect-metadata": "0.2",
      rxjs: "7"
    },
    build: tsc,
    run: (backend) => ["node", "dist/main.js", backend]
  }),
  commonjs("CommonJS, Jest and ts-jest", "jest", {
    packages: { ...classic, "@types/jest": "30", jest: "30", "ts-jest": "29", tsx: "4" },
    run: () => ["env", "NODE_OPTIONS=--experimental-vm-modules", "node_modules/.bin/jest"],
    isRight: () => true
  }),
  {
    name: "Bun",
    tools: ["bun@1"],
    install: ["bun", "install"],
    language: "ts",
    run: (backend) => ["bun", "server.ts", backend],
    isTried: true
  },
  {
    name: "Deno",
    tools: ["deno@2"],
    install: ["deno", "install"],
    language: "ts",
    run: (backend) => ["deno", "run", "--allow-all", "server.ts", backend],
    isTried: true
  }
]
