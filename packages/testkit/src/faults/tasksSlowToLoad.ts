/** A module that takes its time to load, for tasks that take none. */
import { Task } from "@futures/core"

await new Promise((resolve) => setTimeout(resolve, 1_000))

export const { double } = Task.module(import.meta, { double: (n: number): number => n * 2 })
