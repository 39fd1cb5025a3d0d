/** The error for an option that does not exist, wherever options are taken. */
import { InvalidOptionError } from "./ExecutorError.ts"

/** The name that was probably meant: the closest one, if at most half of the letters differ. */
const closest = (name: string, names: ReadonlyArray<string>): string | undefined => {
  let best: string | undefined
  let least = Infinity
  for (const candidate of names) {
    const distance = distanceOf(name.toLowerCase(), candidate.toLowerCase())
    if (distance < least && distance <= Math.max(name.length, candidate.length) / 2) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** Levenshtein distance, with the row of the previous letter only. */
const distanceOf = (left: string, right: string): number => {
  // A very long name is no misspelling, and would take long to compare.
  if (Math.abs(left.length - right.length) > right.length) return Infinity
  let row = Array.from({ length: right.length + 1 }, (_, i) => i)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const replaced = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[right.length]!
}

/** `names` are the options that exist; `taker` is what they were given to, such as `Task.with`. */
export const unknownOption = (
  option: string,
  received: unknown,
  names: ReadonlyArray<string>,
  taker: string
): InvalidOptionError => {
  const meant = closest(option, names)
  return new InvalidOptionError({
    option,
    received,
    expected: `one of ${names.join(", ")}`,
    message: meant === undefined
      ? `${taker} has no option "${option}". Its options: ${names.join(", ")}`
      : `${taker} has no option "${option}". Did you mean "${meant}"?`
  })
}

/**
 * The options that were given, as own properties of an object without a prototype: what a changed `Object.prototype` says is no option.
 * Throws `InvalidOptionError` for `options` that are no object and for the first one that does not exist.
 *
 * The rule for values is the same for all options: `undefined` stands for the default, and `null` is refused like any other wrong value.
 */
export const ownOptions = <O extends object>(
  options: O | undefined,
  names: ReadonlyArray<string & keyof O>,
  taker: string
): O => {
  if (options === undefined) return none as O
  refuseUnknownOptions(options, names, taker)
  return { __proto__: null, ...options } as O
}

/** The same where the names are checked later. */
export const ownObject = <O extends object>(options: O): O => {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new InvalidOptionError({ option: "options", received: options, expected: "an object" })
  }
  return { __proto__: null, ...options } as O
}

const none: object = Object.freeze(Object.create(null))

/** Throws for the first option in `options` that does not exist, and for `options` that are no object. */
const refuseUnknownOptions = (options: object, names: ReadonlyArray<string>, taker: string): void => {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new InvalidOptionError({ option: "options", received: options, expected: "an object" })
  }
  for (const [option, value] of Object.entries(options)) {
    if (value !== undefined && !names.includes(option)) throw unknownOption(option, value, names, taker)
  }
}
