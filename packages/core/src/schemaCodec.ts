/** Effect `Schema`s as the two-way translation of what a task takes and gives. Loaded by those who declare schemas. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { TaskCodec, TaskSchemas } from "./worker/codec.ts"

type AnySchema = Schema.Codec<unknown, unknown>

const same = (value: unknown): unknown => value

const encoder = (schema: unknown): (value: unknown) => unknown =>
  schema === undefined ? same : valueOf(Schema.encodeUnknownExit(schema as AnySchema))

const decoder = (schema: unknown): (value: unknown) => unknown =>
  schema === undefined ? same : valueOf(Schema.decodeUnknownExit(schema as AnySchema))

/** The value, or what stands in its way as it is: the schema's error, or what a transformation of the user's threw. */
const valueOf = (translate: (value: unknown) => Exit.Exit<unknown, unknown>) => (value: unknown): unknown => {
  const exit = translate(value)
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

export const schemaCodec = ({ args, error, success }: TaskSchemas): TaskCodec => ({
  encodeArgs: encoder(args) as TaskCodec["encodeArgs"],
  decodeArgs: decoder(args) as TaskCodec["decodeArgs"],
  encodeSuccess: encoder(success),
  decodeSuccess: decoder(success),
  encodeError: encoder(error),
  decodeError: decoder(error)
})
