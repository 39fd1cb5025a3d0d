/**
 * Errors as values inside arguments and results: what `structuredClone` makes of them, with a `cause` that was walked
 * like any value.
 */

const natives = new Map<string, ErrorConstructor>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((
    native
  ) => [native.name, native])
)

/**
 * An error of the built-in class that the source's `name` names, as `structuredClone` chooses it; it has no `cause`
 * yet.
 */
export const copyNativeError = (source: Error): Error => {
  const native = natives.get(String(source.name)) ?? Error
  const message = Object.getOwnPropertyDescriptor(source, "message")
  const copy = message !== undefined && "value" in message ? new native(String(message.value)) : new native()
  const stack: unknown = source.stack
  copy.stack = typeof stack === "string" ? stack : undefined!
  return copy
}

/**
 * A `cause` that must be walked, in a box because it may be a function. A primitive needs no walk, and a getter is not
 * asked: `structuredClone`, several times faster than a new error with its stack, does right by both.
 */
export const causeOf = (source: Error): { readonly value: unknown } | undefined => {
  const cause = Object.getOwnPropertyDescriptor(source, "cause")
  if (cause === undefined || !("value" in cause)) return undefined
  const type = typeof cause.value
  const isPrimitive = type === "object" ? cause.value === null : type !== "function" && type !== "symbol"
  return isPrimitive ? undefined : { value: cause.value }
}
