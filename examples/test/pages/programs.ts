/**
 * The programs on a page.
 *
 * - A `ts` or `js` fence that begins with `// name.ts` is that file; the files of a page lie in one folder.
 * - One that has imports and no name is a module of its own.
 * - One that has neither goes on with the module before it, in a function of its own.
 * - A `text` fence after it says what it prints. So it is run; so is one marked `ts run`, which prints what it likes.
 * - `// name.test.ts` is run by vitest.
 * - A fence inside of an HTML comment counts, and readers do not see it.
 */

/** A piece of a module: what one fence holds. */
interface Piece {
  /** The line of the page on which its fence opens, counted from 1. */
  readonly line: number
  readonly code: string
  readonly isRun: boolean
  /** What it prints, where the page says so. */
  readonly output: string | undefined
}

export interface Program {
  readonly name: string
  /** Never empty. The first is the module itself; the others go on with it. */
  readonly pieces: ReadonlyArray<Piece>
}

/** Comes between the outputs of pieces that are run. */
export const SEPARATOR = "\u001e"

const FENCE = /^(?<indent> *)(?<ticks>```+)(?<language>\S*) *(?<mark>.*)\n(?<body>(?:.*\n)*?)\k<indent>\k<ticks>\n/gm
const OUTPUT = /^\n* *```text\n(?<output>(?:.*\n)*?) *```\n/

/** `page` is what errors call it. */
export const programsOf = (page: string, text: string): ReadonlyArray<Program> => {
  const programs: Array<{ readonly name: string; readonly pieces: Array<Piece> }> = []
  for (const fence of text.matchAll(FENCE)) {
    const { body, indent, language, mark } = fence.groups!
    const line = text.slice(0, fence.index).split("\n").length
    const fail = (what: string): never => {
      throw new Error(`${page}, line ${line}: ${what}`)
    }
    if (!/^([cm]?[jt]sx?|typescript|javascript)$/i.test(language!)) continue
    if (language !== "ts" && language !== "js") fail(`say "ts" or "js", not "${language}"`)
    if (mark !== "" && mark !== "run") fail(`a fence may be marked "run", not "${mark}"`)
    const unindent = (lines: string) => lines.replaceAll(new RegExp(`^${indent}`, "gm"), "")
    const code = unindent(body!)
    const output = OUTPUT.exec(text.slice(fence.index + fence[0].length))?.groups?.["output"]
    const piece: Piece = {
      line,
      code,
      isRun: mark === "run" || output !== undefined,
      output: output === undefined ? undefined : unindent(output)
    }
    const named = /^\/\/ (\S+\.[jt]s)\n/.exec(code)?.[1]
    const name = named ?? (/^(import|export)\b/m.test(code) ? `line-${line}.${language}` : undefined)
    if (name !== undefined) {
      if (programs.some((program) => program.name === name)) fail(`${name} is on this page already`)
      programs.push({ name, pieces: [piece] })
    } else {
      if (programs.length === 0) fail("a fence without imports goes on with the module before it, and there is none")
      programs.at(-1)!.pieces.push(piece)
    }
  }
  return programs
}

/** The program as a module, each line of it where it is on the page: so errors name lines of the page. */
export const moduleOf = ({ pieces }: Program): string => {
  const lines: Array<string> = []
  const put = (line: number, text: string): void => {
    while (lines.length < line) lines.push("")
    lines[line - 1] = text
  }
  for (const [index, { code, isRun, line }] of pieces.entries()) {
    const body = code.split("\n")
    if (index > 0) put(line, isRun ? `;console.log("${SEPARATOR}"); await (async () => {` : ";void (async () => {")
    for (const [at, text] of body.entries()) put(line + 1 + at, text)
    if (index > 0) put(line + body.length, isRun ? "})()" : "})")
  }
  return lines.join("\n")
}
