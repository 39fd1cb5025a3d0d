import { Task } from "@futures/core"

export const { double, fib } = Task.module(module, {
  double: async (n: number): Promise<number> => 2 * n,
  fib: (n: number): number => n < 2 ? n : fib(n - 1) + fib(n - 2)
})
