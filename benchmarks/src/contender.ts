/** Who takes part: what a contender is, and what its adapter has to offer. */

/** The functions of `tasks/work.js`. */
export type Work = "noop" | "sleep" | "spin" | "who" | "fib" | "double" | "doubles" | "echo"

/** A pool of workers behind an adapter. */
export interface Pool {
  /** How many workers there are to tell apart, where it is not as many as were asked for. */
  readonly distinct?: number
  /** One call, with one argument. */
  readonly call: (work: Work, argument?: unknown) => Promise<unknown>
  /** `count` calls at once, where that is not the same as calling `call` so often. */
  readonly many?: (work: Work, count: number) => Promise<unknown>
  /** Calls with each item, where there is a better way than `call`. */
  readonly map?: (work: Work, items: ReadonlyArray<number>) => Promise<number>
  /** Sends bytes there and back without copying them, where that can be done. */
  readonly move?: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>
  /** `count` calls at once of which every tenth is cancelled at once. */
  readonly cancelTenth?: (work: Work, count: number) => Promise<unknown>
  readonly close: () => Promise<unknown>
}

export interface OpenOptions {
  readonly kind: Kind
  readonly workers: number
  /** The calls will be long: for bare references, which have to be told how to spread them. */
  readonly long?: boolean
  /** The variant of the contender, as the table says. */
  readonly variant?: string | undefined
}

/** What the module of an adapter exports. */
export interface Adapter {
  readonly open: (options: OpenOptions) => Pool | Promise<Pool>
}

export type Kind = "inline" | "thread" | "process" | "cluster"

export interface Contender {
  readonly name: string
  readonly kind: Kind
  readonly role: "bare" | "ours" | "peer" | "python"
  /** The adapter: a file in `contenders`. */
  readonly file: string
  readonly variant?: string
}

const ours = (name: string, kind: Kind, file: string, variant?: string): Contender =>
  variant === undefined ? { name, kind, role: "ours", file } : { name, kind, role: "ours", file, variant }

const peer = (name: string, file: string, kind: Kind = "thread", variant?: string): Contender =>
  variant === undefined ? { name, kind, role: "peer", file } : { name, kind, role: "peer", file, variant }

export const contenders: ReadonlyArray<Contender> = [
  ours("inline", "inline", "futures.ts"),
  ours("thread", "thread", "futures.ts"),
  ours("process", "process", "futures.ts"),
  ours("thread, Effect", "thread", "futures-effect.ts"),
  ours("process, Effect", "process", "futures-effect.ts"),
  ours("thread, warm", "thread", "futures.ts", "warm"),
  ours("process, warm", "process", "futures.ts", "warm"),
  ours("cluster", "cluster", "futures.ts"),
  ...["0", "4", "20", "80"].map((ms) => ours(`round trip ${ms} ms`, "cluster", "futures-links.ts", ms)),
  ...["4", "8", "16", "32"].map((count) => ours(`${count} engines`, "cluster", "futures-engines.ts", count)),
  { name: "bare threads", kind: "thread", role: "bare", file: "bare-threads.ts" },
  { name: "bare threads, batched", kind: "thread", role: "bare", file: "bare-threads.ts", variant: "batched" },
  { name: "bare processes", kind: "process", role: "bare", file: "bare-processes.ts" },
  peer("piscina", "piscina.ts"),
  peer("piscina, 16 a worker", "piscina.ts", "thread", "16"),
  peer("tinypool", "tinypool.ts"),
  peer("workerpool", "workerpool.ts"),
  peer("poolifier", "poolifier.ts"),
  peer("jest-worker", "jest-worker.ts"),
  peer("tinypool, processes", "tinypool.ts", "process"),
  peer("workerpool, processes", "workerpool.ts", "process"),
  peer("poolifier, cluster", "poolifier.ts", "process"),
  peer("jest-worker, processes", "jest-worker.ts", "process"),
  { name: "ThreadPoolExecutor", kind: "thread", role: "python", file: "pool.py", variant: "thread" },
  { name: "ProcessPoolExecutor", kind: "process", role: "python", file: "pool.py", variant: "process" },
  { name: "multiprocessing.Pool", kind: "process", role: "python", file: "pool.py", variant: "pool" },
  { name: "ipyparallel", kind: "cluster", role: "python", file: "ipyparallel.py" }
]
