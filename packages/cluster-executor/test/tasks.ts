import { Task } from "@futures/core"

export const { add, where } = Task.module(import.meta, {
  add: (a: number, b: number): number => a + b,
  where: (): number => process.pid
})
