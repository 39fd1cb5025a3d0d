/** Effect `Schema`s as the two-way translation of what a task takes and gives. Loaded by those who declare schemas. */
import * as Schema from "effect/Schema"
import type { TaskCodec, TaskSchemas } from "./worker/codec.ts"

type AnySchema = Schema.Codec<unknown, unknown>

const same = (value: unknown): unknown => value

const encoder = (schema: unknown): (value: unknown) => unknown =>
  schema === undefined ? same : Schema.encodeUnknownSync(schema as AnySchema)

const decoder = (schema: unknown): (value: unknown) => unknown =>
  schema === undefined ? same : Schema.decodeUnknownSync(schema as AnySchema)

export const schemaCodec = ({ args, error, success }: TaskSchemas): TaskCodec => ({
  encodeArgs: encoder(args) as TaskCodec["encodeArgs"],
  decodeArgs: decoder(args) as TaskCodec["decodeArgs"],
  encodeSuccess: encoder(success),
  decodeSuccess: decoder(success),
  encodeError: encoder(error),
  decodeError: decoder(error)
})
