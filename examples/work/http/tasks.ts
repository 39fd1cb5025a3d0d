import { Task } from "@futures/core"

export const { countPrimes } = Task.module(import.meta, {
  /** How many primes there are below a number: a loop that holds its thread for as long as it takes. */
  countPrimes: (below: number): number => {
    let primes = 0
    for (let n = 2; n < below; n++) {
      let divisor = 2
      while (divisor * divisor <= n && n % divisor !== 0) divisor++
      if (divisor * divisor > n) primes++
    }
    return primes
  }
})
