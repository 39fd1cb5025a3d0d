/** What a module's text imports by relative path, as static imports and re-exports. */
import { initSync, parse } from "es-module-lexer"

const SOURCE = /\.[cm]?[jt]sx?$/
/** TypeScript takes it away: nothing is loaded. */
const ERASED = /^(?:import|export)\s+type\b(?!\s*(?:,|from\b))/
/** A statement at the beginning of a line, with comments in it. */
const STATEMENT = /^[ \t]*((?:import|export)\b(?:[^'"`;/]|\/\/.*|\/\*[^]*?\*\/)*)(["'])(\.[^'"\n]*)\2/gm

let isReady = false

/**
 * Relative specifiers, in the order of the text; none for what is no JavaScript or TypeScript. The lexer is JavaScript's and reads TypeScript almost always
 * (`a! / b` is a regular expression to it): what it cannot read is looked through line by line, which may find one too many in a template.
 */
export const importsOf = (path: string, text: string): ReadonlyArray<string> => {
  if (!SOURCE.test(path)) return []
  if (!isReady) initSync()
  isReady = true
  try {
    const [imports] = parse(text)
    return imports.flatMap(({ d, n, s, ss }) =>
      d === -1 && n?.startsWith(".") === true && !ERASED.test(text.slice(ss, s)) ? [n] : []
    )
  } catch {
    return Array.from(text.matchAll(STATEMENT)).flatMap(([, before, , specifier]) =>
      ERASED.test(before!) ? [] : [specifier!]
    )
  }
}
