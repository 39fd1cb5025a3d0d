import { Task } from "@futures/core"

export const { fib } = Task.module(module, {
  fib: (n: number): number => n < 2 ? n : fib(n - 1) + fib(n - 2)
})
