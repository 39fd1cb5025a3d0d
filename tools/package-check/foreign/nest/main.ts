/** A Nest application. It asks itself once, and stops: `node dist/main.js thread`. */
import "reflect-metadata"
import type { Executor } from "@futures/core"
import { ProcessExecutor } from "@futures/process-executor"
import { ThreadExecutor } from "@futures/thread-executor"
import { Controller, Get, Inject, Injectable, Module, Param } from "@nestjs/common"
import type { OnApplicationShutdown } from "@nestjs/common"
import { NestFactory } from "@nestjs/core"
import assert from "node:assert/strict"
import { fib } from "./tasks"

const backend = process.argv[2] as "thread" | "process"

@Injectable()
class Work implements OnApplicationShutdown {
  readonly executor: Executor = new { thread: ThreadExecutor, process: ProcessExecutor }[backend]({ maxWorkers: 2 })
  onApplicationShutdown(): Promise<void> {
    return this.executor.shutdown({ timeout: "10 seconds" })
  }
}

@Controller()
class AppController {
  constructor(@Inject(Work) private readonly work: Work) {}
  @Get("fib/:n")
  async fib(@Param("n") n: string): Promise<string> {
    return String(await this.work.executor.run(fib, Number(n)))
  }
}

@Module({ controllers: [AppController], providers: [Work] })
class AppModule {}

const main = async (): Promise<void> => {
  console.log(`serving from ${backend}`)
  const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] })
  app.enableShutdownHooks()
  await app.listen(0)
  const answer = await fetch(`${await app.getUrl()}/fib/20`)
  assert.equal(await answer.text(), "6765")
  await app.close()
  console.log("served")
}
void main()
