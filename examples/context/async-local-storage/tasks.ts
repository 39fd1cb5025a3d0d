/** What a request is called, wherever its work is done: in an `AsyncLocalStorage`, which the option `context` carries along. */
import { Task } from "@futures/core"
import { AsyncLocalStorage } from "node:async_hooks"

export interface Request {
  readonly id: string
}

export const requests = new AsyncLocalStorage<Request | undefined>()

export const { priceOf, restoreRequest } = Task.module(import.meta, {
  priceOf: async (item: string): Promise<string> => `${item.length} euros, says request ${requests.getStore()?.id}`,
  /** Runs in the worker, around each call. */
  restoreRequest: (request: Request | undefined, run: () => unknown): unknown => requests.run(request, run)
})
