/**
 * A function as a module of its own, made from its source: `Task.define`. Loaded by the first use, since it brings a parser; never by a worker that is not asked
 * to define a task itself.
 */
import { parse } from "acorn"
import type { Node } from "acorn"
import { isBuiltin } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { runInNewContext } from "node:vm"
import { freeVariables } from "./freeVariables.ts"

/** Globals of Node, beside those of the language. Not read from `globalThis`: in a REPL that holds the user's own variables as well. */
const ofNode =
  `AbortController AbortSignal Blob BroadcastChannel Buffer ByteLengthQueuingStrategy CloseEvent CompressionStream CountQueuingStrategy
Crypto CryptoKey CustomEvent DOMException DecompressionStream ErrorEvent Event EventSource EventTarget File FormData Headers MessageChannel
MessageEvent MessagePort Navigator Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver
PerformanceObserverEntryList PerformanceResourceTiming ReadableByteStreamController ReadableStream ReadableStreamBYOBReader
ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response SubtleCrypto TextDecoder
TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern URLSearchParams WebAssembly
WebSocket WritableStream WritableStreamDefaultController WritableStreamDefaultWriter atob btoa clearImmediate clearInterval clearTimeout
console crypto fetch global navigator performance process queueMicrotask setImmediate setInterval setTimeout structuredClone`
    .split(/\s+/)

let globals: ReadonlySet<string> | undefined
const globalNames = (): ReadonlySet<string> =>
  globals ??= new Set([
    ...runInNewContext("Object.getOwnPropertyNames(globalThis)") as ReadonlyArray<string>,
    "undefined",
    ...ofNode
  ])

/** Why a function cannot be defined: `problem` completes "Task.define: the function ...". */
export interface Refused {
  readonly problem: string
}

/** A module that exports the function. */
export interface Defined {
  readonly name: string
  readonly url: string
}

/** Compilers that keep the names of functions (esbuild, tsx) call this around each. */
const KEEP_NAMES = "__name"

const expressionIn = (code: string): Node | undefined => {
  try {
    const [statement, ...others] = parse(code, { ecmaVersion: "latest", sourceType: "module" }).body
    return statement?.type === "ExpressionStatement" && others.length === 0 ? statement.expression : undefined
  } catch {
    return undefined
  }
}

/** An expression that evaluates to the function; a method is taken out of an object that holds nothing else. */
const expressionOf = (text: string): { readonly code: string; readonly node: Node } | undefined => {
  const plain = `(${text}\n)`
  const node = expressionIn(plain)
  if (node !== undefined) return { code: plain, node }
  const held = `Object.values({${text}\n})[0]`
  const method = expressionIn(held)
  return method === undefined || /^(get|set)\s/.test(text) ? undefined : { code: held, node: method }
}

/** The module of a function, or why there is none. */
export const moduleOf = (fn: (...args: Array<never>) => unknown): Defined | Refused => {
  const text = Function.prototype.toString.call(fn)
  if (/^class\b/.test(text)) return { problem: "is a class" }
  if (/\{\s*\[native code\]\s*\}$/.test(text)) return { problem: "has no source: it is built in, or made by bind()" }
  const expression = expressionOf(text)
  if (expression === undefined) return { problem: "cannot be parsed as JavaScript in strict mode" }
  const { called, imports, names } = freeVariables(expression.node)
  const own = names.has(fn.name) && !globalNames().has(fn.name) ? fn.name : undefined
  const outer = [...names].filter((name) =>
    name !== own && name !== "require" && name !== KEEP_NAMES && !globalNames().has(name)
  )
  if (outer.length > 0) return { problem: usesOuter(outer, fn.name === "" && outer.some((name) => called.has(name))) }
  let { code } = expression
  for (const at of imports.toReversed()) code = `${code.slice(0, at)}$import${code.slice(at + "import".length)}`
  const name = fn.name === "" ? "anonymous" : fn.name
  const lines = [
    ...names.has("require") || imports.length > 0 ? [requireFrom(join(currentDirectory(), "interactive.js"))] : [],
    ...imports.length > 0 ? [importLike] : [],
    ...names.has(KEEP_NAMES) ? [`const ${KEEP_NAMES} = (fn) => fn`] : [],
    `const ${own ?? "$task"} = ${code}`,
    `export { ${own ?? "$task"} as ${JSON.stringify(name)} }`,
    // What stacks show instead of the whole source.
    `//# sourceURL=interactive/${encodeURIComponent(name)}`
  ]
  return { name, url: `data:text/javascript,${encodeURIComponent(lines.join("\n"))}` }
}

const currentDirectory = (): string => {
  try {
    return process.cwd()
  } catch {
    return "/"
  }
}

const requireFrom = (path: string): string =>
  `import { createRequire } from "node:module"\nconst require = createRequire(${
    JSON.stringify(pathToFileURL(path).href)
  })`

/** A `data:` module finds no packages: they are looked up from where the program is. */
const importLike = `import { isBuiltin } from "node:module"
import { pathToFileURL } from "node:url"
const $import = (name, options) => import(isBuiltin(name) || URL.canParse(name) ? name : pathToFileURL(require.resolve(name)).href, options)`

const usesOuter = (names: ReadonlyArray<string>, mayBeItself: boolean): string => {
  const named = names.map((name) => `"${name}"`).join(", ")
  const module = names.find((name) => isBuiltin(name))
  const hints = [
    "Pass values as arguments.",
    ...module === undefined ? [] : [`Import modules inside: const ${module} = await import("node:${module}").`],
    ...mayBeItself ? ["A function that calls itself needs a name of its own: function name() { ... }."] : []
  ]
  return `uses ${named} from outside, and that is not sent with it. ${hints.join(" ")}`
}
