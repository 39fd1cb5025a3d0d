import { Task } from "@futures/core"

export const { square, fib } = Task.module(import.meta, {
  square: (n: number) => n * n,
  fib: (n: number): number => n < 2 ? n : fib(n - 1) + fib(n - 2)
})
