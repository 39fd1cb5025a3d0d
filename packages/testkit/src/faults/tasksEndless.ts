/** A module that uses an executor as it loads, for a task of its own: on workers each would load it, and so on without end. */
import { InlineExecutor, Task } from "@futures/core"

const { task } = Task.module(import.meta, { task: () => 1 })

await new InlineExecutor().run(task)
