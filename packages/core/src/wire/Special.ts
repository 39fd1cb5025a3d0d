/**
 * A value that `v8.serialize` would silently turn into something else, as bytes that it leaves alone. The serializer
 * asks us about views only, so this is a view: `value.ts` puts it into a captured tree, `bytes.ts` recognises it and
 * turns it back while reading.
 */
export class Special extends Uint8Array {
  /** A `DOMException` would arrive as an empty `Error`. */
  static fromDOMException(source: DOMException): Special {
    // Parts are read like this because subclasses and page code may have replaced any of them.
    const parts = [String(source.name), String(source.message), typeof source.stack === "string" ? source.stack : null]
    const bytes = Buffer.from(JSON.stringify(parts))
    const special = new Special(bytes.length)
    special.set(bytes)
    return special
  }

  /** What the bytes of a `Special` stand for. */
  static revive(bytes: Uint8Array): DOMException {
    const [name, message, stack] = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
    const error = new DOMException(message, name)
    if (stack !== null) Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true })
    return error
  }
}
