/** Tasks whose Effects require services, see the caller's span, call the executor, and take instances of classes. */
import { Executor, Task } from "@futures/core"
import type { TaskError } from "@futures/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { appendFileSync } from "node:fs"
import { double } from "./tasks.ts"
import { failTagged } from "./tasksEffect.ts"
import { stopWhenAsked } from "./tasksSignals.ts"

/** Where the ledger says that it was opened and closed: workers have the caller's environment. */
export const ledgerPath = "FUTURES_LAW_LEDGER"

class Ledger extends Context.Service<Ledger, { readonly write: (line: string) => Effect.Effect<string> }>()("Ledger") {}

const ledger = Layer.effect(
  Ledger,
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = process.env[ledgerPath]!
      let open = true
      const add = (line: string): string => {
        appendFileSync(path, `${open ? line : `${line}, closed`}\n`)
        return line
      }
      add("open")
      return {
        write: (line: string) => Effect.sync(() => add(line)),
        close: () => {
          add("close")
          open = false
        }
      }
    }),
    ({ close }) => Effect.sync(close)
  )
)

export const { writeDown } = Task.module(import.meta, {
  writeDown: (line: string): Effect.Effect<string, never, Ledger> => Effect.flatMap(Ledger, ({ write }) => write(line))
}, { layer: ledger })

/** What a task's Effect sees of its caller. */
export interface Surroundings {
  readonly parent: { readonly traceId: string; readonly spanId: string } | undefined
  readonly annotations: Readonly<Record<string, unknown>>
}

export const { interruptItself, lookAround, lookAroundInside, runNested, runNestedFailure, runUntilAsked } = Task
  .module(import.meta, {
    interruptItself: (): Effect.Effect<never> => Effect.interrupt,
    lookAround: (): Effect.Effect<Surroundings> =>
      Effect.gen(function*() {
        const span = yield* Effect.option(Effect.currentParentSpan)
        return {
          parent: span._tag === "Some" ? { traceId: span.value.traceId, spanId: span.value.spanId } : undefined,
          annotations: { ...yield* References.CurrentLogAnnotations }
        }
      }),
    lookAroundInside: (): Effect.Effect<Surroundings, TaskError, Executor> => Executor.run(lookAround),
    runNested: (numbers: ReadonlyArray<number>): Effect.Effect<Array<number>, TaskError, Executor> =>
      Effect.forEach(numbers, (n) => Executor.run(double, n), { concurrency: "unbounded" }),
    runNestedFailure: (id: string): Effect.Effect<ReadonlyArray<string>, TaskError, Executor> =>
      Effect.catchTag(Executor.run(failTagged, id), "Missing", ({ tried }) => Effect.succeed(tried)),
    runUntilAsked: (port: number, word: string): Effect.Effect<never, TaskError, Executor> =>
      Executor.run(stopWhenAsked, port, word)
  })

/** An amount of one currency: a class that travels as itself. */
export class Money extends Schema.Class<Money>("Money")({ amount: Schema.Int, currency: Schema.String }) {
  plus(other: Money): Money {
    return new Money({ amount: this.amount + other.amount, currency: this.currency })
  }
}

export class Overdrawn extends Schema.TaggedError<Overdrawn>()("Overdrawn", { by: Money }) {}

export const { addMoney, addTogether, earn, spend } = Task.module(import.meta, {
  addMoney: (one: Money, other: Money): Money => one.plus(other),
  addTogether: (pair: { readonly one: Money; readonly other: Money }): Money => pair.one.plus(pair.other),
  /** Answers with something that is no money for an amount of zero. */
  earn: (amount: number): Money => amount === 0 ? "nothing" as never : new Money({ amount, currency: "EUR" }),
  spend: (balance: Money, amount: number): Effect.Effect<Money, Overdrawn> =>
    balance.amount >= amount
      ? Effect.succeed(new Money({ amount: balance.amount - amount, currency: balance.currency }))
      : Effect.fail(new Overdrawn({ by: new Money({ amount: amount - balance.amount, currency: balance.currency }) }))
}, {
  schemas: {
    addMoney: { args: Schema.Tuple([Money, Money]), success: Money },
    addTogether: { args: Schema.Tuple([Schema.Struct({ one: Money, other: Money })]), success: Money },
    earn: { success: Money },
    spend: { args: Schema.Tuple([Money, Schema.Int]), success: Money, error: Overdrawn }
  }
})
