/** A task whose argument goes wrong while the worker reads it: only there is it decoded. */
import { Task } from "@futures/core"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { commit } from "./commit.ts"
import type { FaultName } from "./commit.ts"

const Faulty = Schema.String.pipe(Schema.decodeTo(Schema.String, {
  decode: SchemaGetter.transform((fault: string) => commit(fault as FaultName, "reading the argument")),
  encode: SchemaGetter.transform((fault: string) => fault)
}))

export const { reading } = Task.module(import.meta, {
  reading: (fault: FaultName): string => fault
}, { schemas: { reading: { args: Schema.Tuple([Faulty]) } } })
