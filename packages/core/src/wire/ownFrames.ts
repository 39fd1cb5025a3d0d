/** Frames of this project in stacks: between the lines of a task and the lines that await it they say nothing to their reader. */

// As it is at the start: a task may replace the global `process`.
const { env } = process

const packages = "(?:core|thread-executor|process-executor|cluster-executor)[\\\\/](?:src|dist)[\\\\/]"

/** Where these packages lie side by side, without being installed: in their own repository. */
const workspace = new RegExp(`^(?:file://)?(.*[\\\\/]packages[\\\\/])${packages}`).exec(import.meta.url)?.[1]

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")

const own = new RegExp(
  workspace === undefined
    ? `[\\\\/]@futures[\\\\/]${packages}`
    : `(?:[\\\\/]@futures[\\\\/]|${escaped(workspace)})${packages}`
)

/** Frames of Node, such as that of `AsyncLocalStorage.run`. */
const node = /\(?node:(?:internal\/|async_hooks)[^)]*\)?$/

const isFrame = (line: string): boolean => /^\s+at /.test(line)

/**
 * A stack without the frames of this project, and without those of Node next to them. It stays as it is when nothing else is left, and when the environment
 * variable `FUTURES_STACKS` is `full`.
 */
export const withoutOwnFrames = (stack: string): string => {
  if (!own.test(stack) || env["FUTURES_STACKS"] === "full") return stack
  const lines: Array<string> = []
  /** Frames of Node that stay unless one of ours is next to them. */
  let pending: Array<string> = []
  let followsOwn = false
  let left = 0
  for (const line of stack.split("\n")) {
    if (own.test(line) && isFrame(line)) {
      pending = []
      followsOwn = true
    } else if (node.test(line) && isFrame(line)) {
      if (!followsOwn) pending.push(line)
    } else {
      lines.push(...pending, line)
      if (isFrame(line)) left++
      pending = []
      followsOwn = false
    }
  }
  lines.push(...pending)
  return left === 0 ? stack : lines.join("\n")
}
