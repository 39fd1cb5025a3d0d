// By name, not by `import`, which reads every property at once and so loads what each stands for.
const { inspect } = process.getBuiltinModule("node:util")

/** `target[key] = value`, except that `__proto__` is data like any other key. */
export const put = (target: object, key: string, value: unknown): void => {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    ;(target as Record<string, unknown>)[key] = value
  }
}

/** Whether `for (key in {})` meets anything: someone may have added enumerable keys to `Object.prototype`. */
export const isObjectPrototypePolluted = (): boolean => {
  for (const _ in Object.prototype) return true
  return false
}

const nothing: unknown[] = []

/**
 * The elements as they are. Of all ways to copy them, `concat` alone asks no subclass for a species and takes no time
 * for holes.
 */
export const elementsOf = (source: ReadonlyArray<unknown>): unknown[] => {
  try {
    const elements = nothing.concat(source)
    return elements.length === source.length ? elements : []
  } catch {
    // An element is a getter that throws: the walk meets it again where it knows the path.
    return []
  }
}

const fewElements = 32
const summary = {
  maxArrayLength: 0,
  depth: 0,
  customInspect: false,
  showHidden: false,
  colors: false,
  compact: 3,
  getters: false
}

/**
 * Whether an array without holes has more than its elements, as the match of a regular expression has. JavaScript can
 * list named keys only together with all indices, which takes longer than copying a large array. `inspect` can skip the
 * indices, in constant time (400 ns); a text other than the expected one, whatever the reason, only leads to the slow
 * way.
 */
export const mayHaveNames = (source: ReadonlyArray<unknown>): boolean => {
  const { length } = source
  if (length <= fewElements) return Object.keys(source).length !== length
  try {
    return inspect(source, summary) !== `[ ... ${length} more items ]`
  } catch {
    // It may meet a getter of the user, under a symbol.
    return true
  }
}
