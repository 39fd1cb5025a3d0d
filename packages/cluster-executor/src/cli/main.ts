#!/usr/bin/env node
/**
 * The `futures-cluster` command.
 *
 * Exit codes: 0 when it did what it was asked to, 1 when it could not, 2 when it was not understood, 130 and 143 when it was told twice to end.
 */
import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import * as NodeTerminal from "@effect/platform-node-shared/NodeTerminal"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { command } from "./command.ts"

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

const files = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)
const services = Layer.mergeAll(
  NodeStdio.layer,
  NodeTerminal.layer,
  NodeChildProcessSpawner.layer.pipe(Layer.provideMerge(files))
)

const formatter = CliOutput.defaultFormatter()
const presented = Layer.mergeAll(
  // Without the command-line library's wizard and log level.
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
  CliOutput.layer({ ...formatter, formatErrors: (errors) => formatter.formatErrors(errors.map(withoutOpen)) })
)

/** `--open` switches credentials off: it is no suggestion for a mistyped flag. */
function withoutOpen(error: CliError.CliError): CliError.CliError {
  if (error._tag !== "UnrecognizedOption" || !error.suggestions.includes("--open")) return error
  return new CliError.UnrecognizedOption({ option: error.option, command: error.command, suggestions: [] })
}

// What a command starts does not keep a process alive; the command does.
const alive = setInterval(() => {}, 2 ** 31 - 1)
const args = process.argv.slice(2)
const exit = await Effect.runPromiseExit(
  Command.runWith(command, { version })(args).pipe(Effect.provide(Layer.merge(services, presented)))
)
clearInterval(alive)
if (Exit.isFailure(exit)) {
  const error = Cause.squash(exit.cause)
  if (CliError.isCliError(error)) process.exitCode = error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : 2
  else {
    const { _tag, message } = error as { readonly _tag?: string; readonly message: string }
    process.exitCode = 1
    console.error(
      args.includes("--json") ? JSON.stringify({ error: { _tag, message } }) : `futures-cluster: ${message}`
    )
  }
}
