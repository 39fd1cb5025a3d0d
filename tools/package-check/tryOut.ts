/** A project of a stranger: an empty folder, our packages by their names, and a small server. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { delimiter, join } from "node:path"
import { command } from "./command.ts"
import type { Ended } from "./command.ts"
import type { Backend, Environment } from "./environments.ts"

/** A cell of the table. */
export type Verdict = "ok" | "failed" | "-"

export interface Outcome {
  readonly environment: Environment
  readonly install: Verdict
  readonly thread: Verdict
  readonly process: Verdict
  readonly types: Verdict
  /** What was said by what failed. */
  readonly complaints: ReadonlyArray<string>
}

const sources = new URL("./project/", import.meta.url)

const foreignSources = new URL("./foreign/", import.meta.url)

const ours = ["@futures/core", "@futures/thread-executor", "@futures/process-executor"]

/** Lays out the project; `registry` is the address of our scope. */
const layOut = (folder: string, registry: string, environment: Environment): void => {
  const { files = {}, foreign, language, packages = {}, resolution } = environment
  mkdirSync(folder)
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  const source = (name: string): string => readFileSync(new URL(name, sources), "utf8")
  write(".npmrc", `@futures:registry=${registry}\n`)
  write(
    "package.json",
    JSON.stringify({
      type: foreign === undefined ? "module" : "commonjs",
      private: true,
      dependencies: { ...Object.fromEntries(ours.map((name) => [name, "latest"])), effect: "^4.1.0" },
      devDependencies: packages
    })
  )
  if (foreign !== undefined) return cpSync(new URL(foreign, foreignSources), folder, { recursive: true })
  for (const name of ["server.ts", "tasks.ts"]) {
    if (language === "ts") write(name, source(name))
    else write(name.replace(/ts$/, "js"), stripTypeScriptTypes(source(name)).replaceAll(/(?<=".\/\w+)\.ts"/g, ".js\""))
  }
  if (resolution !== undefined) {
    write("types.ts", source("types.ts"))
    const compilerOptions = {
      target: "es2024",
      module: resolution === "nodenext" ? "nodenext" : "esnext",
      moduleResolution: resolution,
      types: ["node"],
      allowImportingTsExtensions: true,
      noEmit: true,
      strict: true,
      skipLibCheck: false
    }
    write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts"] }))
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
}

const bins = new Map<string, Promise<string>>()

/** The folder with the commands of a package of npm. */
const binOf = (tool: string): Promise<string> => {
  const ask = async (): Promise<string> => {
    const path = await command(["npm", "exec", "--yes", `--package=${tool}`, "--", "node", "-p", "process.env.PATH"], {
      cwd: "/"
    })
    if (!path.ok) throw new Error(`${tool} cannot be had: ${path.output}`)
    return path.stdout.split(delimiter).find((folder) => folder.includes("_npx"))!
  }
  const found = bins.get(tool) ?? ask()
  bins.set(tool, found)
  return found
}

/** A worker that ran the server as well would have said so. */
const isServed = (stdout: string, backend: Backend): boolean => stdout === `serving from ${backend}\nserved\n`

export const tryOut = async (folder: string, registry: string, environment: Environment): Promise<Outcome> => {
  const { build, install, isRight = isServed, isTried, resolution, run, tools } = environment
  const complaints: Array<string> = []
  const path = await Promise.all(tools.map(binOf))
  const env = { PATH: [...path, process.env["PATH"]].join(delimiter), NODE_OPTIONS: undefined }
  const step = async (words: Parameters<typeof command>[0], isFine = ({ ok }: Ended) => ok): Promise<Verdict> => {
    const ended = await command(words, { cwd: folder, env, timeout: isTried ? 30_000 : 120_000 })
    if (isFine(ended)) return "ok"
    complaints.push(`$ ${words.join(" ")}\n${ended.output}`)
    return "failed"
  }
  layOut(folder, registry, environment)
  const none = { environment, thread: "-", process: "-", types: "-", complaints } as const
  if (await step(install) === "failed") return { ...none, install: "failed" }
  const isReady = build === undefined || await step(build) === "ok"
  const serve = (backend: Backend): Promise<Verdict> | Verdict =>
    isReady
      ? step(run(backend), ({ ok, stdout }) => ok && isRight(stdout, backend))
      : "failed"
  return {
    environment,
    install: "ok",
    thread: await serve("thread"),
    process: await serve("process"),
    types: resolution === undefined ? "-" : await step(["node_modules/.bin/tsc"]),
    complaints
  }
}
