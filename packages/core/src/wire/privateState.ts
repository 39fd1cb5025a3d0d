/** Whether the instances of a class have state that no other realm can write: `#private` members. */

const known = new WeakMap<Function, boolean>()

/**
 * Whether the class, or an ancestor of the user's, declares private members. Read from its text, once, since JavaScript has no way to ask. A class compiled
 * to an older target is recognized by the helpers of TypeScript, esbuild, SWC and Babel.
 */
export const hasPrivateState = (listed: Function): boolean => {
  let found = known.get(listed)
  if (found === undefined) {
    found = false
    try {
      for (let each: unknown = listed, i = 0; typeof each === "function" && i < 100 && !found; i++) {
        found = declaresPrivate(Function.prototype.toString.call(each))
        each = Object.getPrototypeOf(each)
      }
    } catch {
      // A proxy among the ancestors that refuses to tell.
    }
    known.set(listed, found)
  }
  return found
}

const helpers = /\b_{1,2}(?:classPrivate|class_private|private(?:Get|Set|Add|Method|In)\b)/

const declaresPrivate = (text: string): boolean => text.includes("#") && codeHasHash(text) || helpers.test(text)

/** After one of these characters a slash begins a regular expression. */
const beforeExpression = /[(,=:[!&|?{};+\-*%^~<>]/

/** Whether there is a `#` outside of strings, comments, the text of templates and regular expressions: only a private name can be there. */
const codeHasHash = (text: string): boolean => {
  /** For each template that is open: the depth of braces at which its text goes on. */
  const templates: Array<number> = []
  let depth = 0
  let last = ""
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char === "#") return true
    if (char === "\"" || char === "'") i = skipTo(text, i + 1, char)
    else if (char === "/" && text[i + 1] === "/") {
      const end = text.indexOf("\n", i)
      i = end === -1 ? text.length : end
      continue
    } else if (char === "/" && text[i + 1] === "*") {
      const end = text.indexOf("*/", i + 2)
      i = end === -1 ? text.length : end + 1
      continue
    } else if (
      char === "/" && (beforeExpression.test(last) || /\breturn\s*$/.test(text.slice(Math.max(0, i - 10), i)))
    ) {
      i = skipRegExp(text, i + 1)
    } else if (char === "{") depth++
    else if (char === "`" || (char === "}" && templates.at(-1) === depth)) {
      if (char === "}") templates.pop()
      i = skipTemplate(text, i + 1)
      if (text[i] === "{") templates.push(depth)
    } else if (char === "}") depth--
    if (!/\s/.test(char)) last = char
  }
  return false
}

/** The position of the quote that ends a string. */
const skipTo = (text: string, from: number, quote: string): number => {
  let i = from
  while (i < text.length && text[i] !== quote) i += text[i] === "\\" ? 2 : 1
  return i
}

/** The position of the backtick that ends a template, or of the brace that begins an expression in it. */
const skipTemplate = (text: string, from: number): number => {
  let i = from
  while (i < text.length && text[i] !== "`") {
    if (text[i] === "$" && text[i + 1] === "{") return i + 1
    i += text[i] === "\\" ? 2 : 1
  }
  return i
}

const skipRegExp = (text: string, from: number): number => {
  let inClass = false
  let i = from
  for (; i < text.length && text[i] !== "\n"; i++) {
    const char = text[i]
    if (char === "\\") i++
    else if (char === "[") inClass = true
    else if (char === "]") inClass = false
    else if (char === "/" && !inClass) break
  }
  return i
}
