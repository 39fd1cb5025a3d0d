/** What goes wrong, as plain JavaScript that every library can load. Each fault adds a mark to a file, so that it shows how often it ran. */
import { appendFileSync } from "node:fs"

const ran = () => appendFileSync(process.env.FAILURES_RUNS, "x")

const spin = () => {
  for (;;);
}

export const echo = (value) => value
export const wait = async (ms) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
}
export const throws = () => {
  ran()
  throw new RangeError("thrown by the task")
}
export const exits = (code) => {
  ran()
  process.exit(code)
}
export const aborts = () => {
  ran()
  process.abort()
}
export const kills = (signal) => {
  ran()
  process.kill(process.pid, signal)
  spin()
}
/** Small objects alone: a thread that fails to get a large one may end the whole process. */
export const hoards = () => {
  ran()
  let kept
  for (;;) kept = { kept }
}
export const spins = () => {
  ran()
  spin()
}
export const throwsInTimer = async () => {
  ran()
  setTimeout(() => {
    throw new RangeError("nobody catches it")
  })
  await new Promise(() => {})
}
export const rejectsAfterwards = (value) => {
  ran()
  setTimeout(() => void Promise.reject(new RangeError("nobody catches it, after the result")), 50)
  return value
}
export const answersWithFunction = () => {
  ran()
  return { callback: () => 1 }
}

/** All of it by name. */
export const faults = {
  echo,
  wait,
  throws,
  exits,
  aborts,
  kills,
  hoards,
  spins,
  throwsInTimer,
  rejectsAfterwards,
  answersWithFunction
}
