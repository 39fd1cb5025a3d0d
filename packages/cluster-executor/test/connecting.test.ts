import { Broker, Cluster } from "@futures/cluster-executor"
import { openLink } from "@futures/testkit"
import { expect, test } from "vitest"

/** A broker waits 2 seconds for the credentials of a client. */
const TOO_LONG_MS = 2_500

const compute = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end;);
}

test("A program that computes while it connects is let in", async () => {
  await using broker = await Broker.start({ sync: "interval" })
  await using link = await openLink(broker.servers[0]!, { delayMs: 50 })
  const connecting = Cluster.connect({ servers: [link.address], credentials: broker.credentials })
  while (await link.connections() === 0);
  // The broker has asked for the credentials, and this program does not answer.
  compute(TOO_LONG_MS)
  await using cluster = await connecting
  expect(cluster.isConnected).toBe(true)
})
