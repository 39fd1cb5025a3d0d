/** What the options of this package must be: one rule for each name, wherever it is given. */
import { InvalidOptionError } from "@futures/core"
import { ownOptions } from "@futures/core/Backend"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

type Rule = readonly [expected: string, isRight: (value: unknown) => boolean]

const isText = (value: unknown): boolean => typeof value === "string" && value !== ""
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isBoolean = (value: unknown): boolean => typeof value === "boolean"
const isAtLeastOne = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1

const token: Rule = [
  "up to 64 letters, digits, _ and -",
  (value) => typeof value === "string" && /^[\w-]{1,64}$/.test(value)
]
const atLeastOne: Rule = ["a whole number of at least 1", isAtLeastOne]
const boolean: Rule = ["true or false", isBoolean]
const text: Rule = ["a string that is not empty", isText]

const rules: Readonly<Record<string, Rule>> = {
  client: token,
  credentials: ["an object", isObject],
  delivery: [`"at-least-once" or "at-most-once"`, (value) => value === "at-least-once" || value === "at-most-once"],
  engine: ["the id of an engine", isText],
  // None: a broker alone.
  engines: ["a whole number of at least 0", (value) => value === 0 || isAtLeastOne(value)],
  label: text,
  labels: ["an object of strings", (value) => isObject(value) && Object.values(value).every(isText)],
  maxKept: atLeastOne,
  namespace: token,
  restart: boolean,
  retention: [
    "a duration of at least a second",
    (value) =>
      Option.exists(Duration.fromInput(value as Duration.Input), (duration) => Duration.toMillis(duration) >= 1_000)
  ],
  root: ["the path of a folder", isText],
  servers: ["an array of host:port", (value) => Array.isArray(value) && value.length > 0 && value.every(isText)],
  slots: atLeastOne,
  textModules: boolean
}

/** Throws `InvalidOptionError` naming the first option that breaks the rule of its name. */
export const checkValues = (options: Readonly<Record<string, unknown>>): void => {
  for (const [option, received] of Object.entries(options)) {
    const rule = rules[option]
    if (rule === undefined || received === undefined || rule[1](received)) continue
    throw new InvalidOptionError({ option, received, expected: rule[0] })
  }
}

/** The options that were given, as own properties. Throws `InvalidOptionError` naming the first that does not exist or is wrong. */
export const checkOptions = <O extends object>(
  options: O | undefined,
  names: ReadonlyArray<string & keyof O>,
  taker: string
): O => {
  const own = ownOptions(options, names, taker)
  checkValues(own as Readonly<Record<string, unknown>>)
  return own
}
