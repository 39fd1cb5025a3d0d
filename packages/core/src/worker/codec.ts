/** What a task takes and gives, translated by the schemas that its module declared. Without schemas nothing here costs anything. */
import type * as SchemaCodec from "../schemaCodec.ts"
import { process } from "./process.ts"
import type { TaskDefinition } from "./registry.ts"

/** Effect `Schema`s of one task: `args` of the tuple of its arguments. */
export interface TaskSchemas {
  readonly args?: unknown
  readonly success?: unknown
  readonly error?: unknown
}

/** Each throws the schema's own error for a value that does not fit. */
export interface TaskCodec {
  readonly encodeArgs: (args: unknown) => Array<unknown>
  readonly decodeArgs: (args: unknown) => Array<unknown>
  readonly encodeSuccess: (value: unknown) => unknown
  readonly decodeSuccess: (value: unknown) => unknown
  readonly encodeError: (error: unknown) => unknown
  readonly decodeError: (error: unknown) => unknown
}

const codecs = new WeakMap<TaskSchemas, TaskCodec>()

let loaded: typeof SchemaCodec | undefined
const load = (): typeof SchemaCodec => {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"
  return loaded ??= process.getBuiltinModule("node:module").createRequire(import.meta.url)(
    `../schemaCodec.${extension}`
  ) as typeof SchemaCodec
}

export const codecOf = ({ name, settings }: TaskDefinition): TaskCodec | undefined => {
  const schemas = settings.schemas?.[name]
  if (schemas === undefined) return undefined
  let codec = codecs.get(schemas)
  if (codec === undefined) codecs.set(schemas, codec = load().schemaCodec(schemas))
  return codec
}
