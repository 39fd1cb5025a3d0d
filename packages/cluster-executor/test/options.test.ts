/** Options of this package: refused before anything starts, with the name that was probably meant. */
import { Broker, Cluster, ClusterExecutor, runEngine, spawnEngine } from "@futures/cluster-executor"
import { InvalidOptionError } from "@futures/core"
import { expect, test } from "vitest"

type Take = (options: any) => Promise<unknown>

/** Everything that takes options, and one of its options. */
const takers: Readonly<Record<string, readonly [take: Take, option: string]>> = {
  "Cluster.start": [(options) => Cluster.start(options), "engines"],
  "Cluster.connect": [(options) => Cluster.connect(options), "servers"],
  "Broker.start": [(options) => Broker.start(options), "storeDir"],
  "new ClusterExecutor": [async (options) => new ClusterExecutor(options), "delivery"],
  runEngine: [(options) => runEngine(options), "slots"],
  spawnEngine: [(options) => spawnEngine(options), "slots"]
}

const refused = async (taking: Promise<unknown>, option: string): Promise<InvalidOptionError> => {
  const error = await taking.then(() => undefined, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(InvalidOptionError)
  expect(error).toMatchObject({ option })
  return error as InvalidOptionError
}

test.for(Object.entries(takers))(
  "%s refuses what is no object, and names that do not exist",
  async ([, [take, option]]) => {
    for (const noObject of [null, 5, "soon", []]) await refused(take(noObject), "options")
    const misspelled = `${option}s`
    const { message } = await refused(take({ servers: ["127.0.0.1:1"], [misspelled]: 1 }), misspelled)
      .catch(() => refused(take({ [misspelled]: 1 }), misspelled))
    expect(message).toContain(`Did you mean "${option}"?`)
  }
)

const wrong: ReadonlyArray<readonly [taker: string, option: string, values: ReadonlyArray<unknown>]> = [
  ["Cluster.start", "engines", [null, -1, 1.5, "2"]],
  ["Cluster.start", "slots", [null, 0, "2"]],
  ["Cluster.start", "labels", [null, 5, { gpu: 1 }]],
  ["Cluster.start", "root", [null, 5, ""]],
  ["Cluster.start", "name", [null, 5]],
  ["Cluster.start", "client", [null, 5, "a b"]],
  ["Cluster.start", "restart", [null, "yes"]],
  ["Cluster.start", "textModules", [null, "yes"]],
  ["Cluster.connect", "servers", [null, [], "a:1", [5]]],
  ["Cluster.connect", "namespace", [null, 5, "a b"]],
  ["Cluster.connect", "credentials", [null, "secret"]],
  ["Broker.start", "maxPayload", [null, 0, "many", "65 MiB", 2 ** 27]],
  ["Broker.start", "startTimeout", [null, -1, "soon"]],
  ["Broker.start", "roles", [null, "yes"]],
  ["Broker.start", "sync", [null, "never"]],
  ["Broker.start", "storeDir", [null, 5, ""]]
]

test.for(wrong)("%s refuses a wrong %s", async ([taker, option, values]) => {
  const [take] = takers[taker]!
  for (const value of values) await refused(take({ [option]: value }), option)
})

test.for<readonly [option: string, values: ReadonlyArray<unknown>]>([
  ["slots", [null, 0, "2"]],
  ["labels", [null, 5, { gpu: 1 }]],
  ["name", [null, 5, "a b"]],
  ["namespace", [null, 5]],
  ["root", [null, 5]],
  ["grace", [null, -1, "soon"]],
  ["drainOn", [null, {}]],
  ["textModules", [null, "yes"]]
])("An engine refuses a wrong %s", async ([option, values]) => {
  for (const value of values) await refused(runEngine({ servers: ["127.0.0.1:1"], [option]: value }), option)
})
