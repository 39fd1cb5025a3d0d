/**
 * A program of its own, whose end the laws look at: `program.ts <module of the executor> <its name> <scene>`. What it has to say it writes to stdout.
 */
import type { Executor as AnyExecutor, ExecutorClass } from "@futures/core"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hangAtExit, useResource, writeAtExit } from "../tasksExit.ts"
import { chatter, directory, importedWorkers, loadedByFlags, slowly, throwing, variable } from "./tasksChatter.ts"

const [, , module, name, scene] = process.argv
const exports = await import(module!) as Record<string, ExecutorClass>
const Executor = exports[name!]!

const say = (word: unknown): void => {
  process.stdout.write(`${String(word)}\n`)
}

const handles = (): string => {
  const listeners = [process, process.stdin, process.stdout, process.stderr].map((emitter) =>
    emitter.eventNames().map((event) => `${String(event)} ${emitter.listenerCount(event)}`).toSorted()
  )
  return JSON.stringify([listeners, process.getActiveResourcesInfo().toSorted()])
}

switch (scene) {
  case "forgets": {
    const executor = new Executor({ maxWorkers: 2 })
    for (const word of ["one", "two", "three"]) say(await executor.run(slowly, word))
    break
  }
  case "keeps workers": {
    const executor = new Executor({ maxWorkers: 2, minWorkers: 2 })
    await executor.ready()
    say(await executor.run(slowly, "one"))
    break
  }
  case "waits for nobody":
    new Executor({ maxWorkers: 1 }).submit(slowly, "one").onDone((future) => say(future.state))
    break
  case "does not look":
    new Executor({ maxWorkers: 1 }).submit(throwing)
    break
  case "never asks":
    say(new Executor({ minWorkers: 1 }).stats().succeeded)
    break
  case "exits": {
    const executor = new Executor({ maxWorkers: 1 })
    executor.submit(slowly, "never", 60_000).onDone(() => say("settled"))
    await executor.ready()
    process.exit(5)
    break
  }
  case "is interrupted": {
    const executor = new Executor({ maxWorkers: 1 })
    executor.submit(slowly, "never", 60_000).onDone(() => say("settled"))
    await executor.ready()
    // What Ctrl-C does.
    process.kill(process.pid, "SIGINT")
    break
  }
  case "leaves workers":
  case "leaves workers and exits":
  case "leaves workers and throws": {
    const executor = new Executor({ maxWorkers: 2, minWorkers: 2 })
    await executor.ready()
    await executor.run(writeAtExit, "", "exited", 60)
    await executor.run(useResource, "", "closed", 60)
    if (scene.endsWith("exits")) process.exit(5)
    if (scene.endsWith("throws")) throw new RangeError("nothing catches it")
    break
  }
  case "hangs at exit": {
    const executor = new Executor({ maxWorkers: 1, exitTimeout: 100 })
    await executor.run(hangAtExit)
    if (process.argv[5] !== undefined) process.exit(5)
    break
  }
  case "leaves nothing": {
    // Node makes these when they are first asked for, and stdin goes on being made for a turn.
    void [process.stdin, process.stdout, process.stderr]
    await new Promise((resolve) => setImmediate(resolve))
    const before = handles()
    const executor = new Executor({ maxWorkers: 2 })
    await Promise.all([executor.run(slowly, "one"), executor.run(slowly, "two"), executor.run(chatter, 1, false)])
    await executor.shutdown()
    // Node takes a turn or two to forget a handle that is closed.
    for (let turn = 0; turn < 100 && handles() !== before; turn++) await new Promise((resolve) => setImmediate(resolve))
    say(handles() === before ? "nothing" : `before ${before}\nafter ${handles()}`)
    break
  }
  case "changes its environment": {
    process.env["FUTURES_LAW"] = "at creation"
    const executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1 })
    say(await executor.run(variable, "FUTURES_LAW"))
    process.env["FUTURES_LAW"] = "later"
    say(await executor.run(variable, "FUTURES_LAW"))
    say(await new Executor({ maxWorkers: 1 }).run(variable, "FUTURES_LAW"))
    break
  }
  case "changes its directory": {
    const before = process.cwd()
    const executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1 })
    say(await executor.run(directory) === before)
    process.chdir("/")
    say(await executor.run(directory) === before)
    say(await new Executor({ maxWorkers: 1 }).run(directory))
    break
  }
  case "moves away from modules of its flags": {
    const home = mkdtempSync(join(tmpdir(), "futures-flags-"))
    mkdirSync(join(home, "node_modules"))
    writeFileSync(join(home, "required.cjs"), "globalThis.loaded = ['required']")
    writeFileSync(join(home, "imported.mjs"), "loaded.push('imported')")
    writeFileSync(join(home, "node_modules/bare.js"), "loaded.push('bare')")
    process.chdir(home)
    const execArgv = ["--require", "./required.cjs", "--import=./imported.mjs", "--import", "bare"]
    const executor = new Executor({ maxWorkers: 1, maxTasksPerWorker: 1, execArgv })
    process.chdir("/")
    try {
      say(await executor.run(loadedByFlags))
      say(await executor.run(loadedByFlags))
    } finally {
      await executor.shutdown()
      rmSync(home, { recursive: true })
    }
    break
  }
  case "uses what is imported": {
    const { importedPool } = globalThis as unknown as { readonly importedPool: AnyExecutor }
    say(`${importedPool.stats().workers} in the program`)
    const executor = new Executor({ maxWorkers: 1 })
    say(`${await executor.run(importedWorkers)} in a worker`)
    break
  }
  case "listens": {
    const executor = new Executor({ maxWorkers: 1 })
    for (const exits of [false, true]) {
      for (const lines of [1, 5_000]) {
        await executor.submit(chatter, lines, exits).wait()
        say("settled")
      }
    }
    break
  }
}
