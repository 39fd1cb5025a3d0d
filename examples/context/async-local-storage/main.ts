// A request's store goes where its calls go.
import { Executor } from "@futures/core"
import { backend, backends } from "../../backends.ts"
import { priceOf, requests, restoreRequest } from "./tasks.ts"

await using executor = Executor.open(backends, {
  backend,
  maxWorkers: 2,
  context: { capture: () => requests.getStore(), restore: restoreRequest }
})

const serve = (id: string, item: string): Promise<string> => requests.run({ id }, () => executor.run(priceOf, item))

for (const line of await Promise.all([serve("a", "tea"), serve("b", "coffee")])) console.log(line)
console.log(await executor.run(priceOf, "water"))
