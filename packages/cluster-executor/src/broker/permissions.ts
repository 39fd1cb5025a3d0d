/**
 * The least that each side needs, as subjects of NATS: who may publish what, and who may listen to what.
 *
 * An engine can answer, and tell that it lives. It can neither ask for a place on another engine, nor write to one, nor put a call into the queue: whoever
 * takes an engine over cannot make the others run anything. A client cannot pass itself off as an engine.
 */

/** What somebody is to the cluster. */
export type Role = "client" | "engine"

/** Lists of subjects, as the configuration of `nats-server` has them under `permissions`. */
export interface Permissions {
  /** Subjects that may be published to. */
  readonly publish: { readonly allow: ReadonlyArray<string> }
  /** Subjects that may be subscribed to. */
  readonly subscribe: { readonly allow: ReadonlyArray<string> }
}

/**
 * What one role may do in one namespace; everything else is refused. The streams of a namespace are `CF_<namespace>_CALLS`, `_ARGS`, `_RES` and `_DEAD`.
 *
 * ```ts
 * JSON.stringify({ users: [{ user: "engine", password, permissions: permissionsFor("engine", "default") }] })
 * ```
 */
export const permissionsFor = (role: Role, namespace: string): Permissions => {
  const own = (...names: ReadonlyArray<string>) => names.map((name) => `cf.${namespace}.${name}`)
  const stream = (name: string) => `CF_${namespace}_${name}`
  const calls = stream("CALLS")
  const args = stream("ARGS")
  if (role === "engine") {
    return {
      publish: {
        allow: [
          ...own("hb.*", "bye.*", "cl.>", "res.>"),
          "_INBOX.>",
          "$JS.API.INFO",
          `$JS.API.CONSUMER.LIST.${calls}`,
          `$JS.API.CONSUMER.INFO.${calls}.>`,
          `$JS.API.CONSUMER.MSG.NEXT.${calls}.>`,
          `$JS.ACK.${calls}.>`,
          // The pieces of long calls: read, and removed with the call.
          `$JS.API.DIRECT.GET.${args}.>`,
          `$JS.API.STREAM.MSG.GET.${args}`,
          `$JS.API.STREAM.PURGE.${args}`
        ]
      },
      subscribe: { allow: [...own("who", "want", "eng.>"), "_INBOX.>"] }
    }
  }
  const streams = ["CALLS", "ARGS", "RES", "DEAD"].map(stream)
  return {
    publish: {
      allow: [
        ...own("who", "want", "eng.>", "call.>", "args.>", "dead.>", "bye.*"),
        // That a call was taken out of the queue is an outcome.
        ...own("res.*.*"),
        "_INBOX.>",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        ...streams.flatMap((name) => [
          // Without a name behind it: create, info, purge, delete; with one: messages and consumers of this stream.
          ...["CREATE", "UPDATE", "INFO", "PURGE", "DELETE", "MSG.GET", "MSG.DELETE"].map((verb) =>
            `$JS.API.STREAM.${verb}.${name}`
          ),
          `$JS.API.DIRECT.GET.${name}`,
          `$JS.API.DIRECT.GET.${name}.>`,
          `$JS.API.CONSUMER.*.${name}`,
          `$JS.API.CONSUMER.*.${name}.>`,
          `$JS.API.CONSUMER.DURABLE.CREATE.${name}.>`,
          `$JS.API.CONSUMER.MSG.NEXT.${name}.>`,
          `$JS.ACK.${name}.>`
        ])
      ]
    },
    subscribe: { allow: [...own("hb.*", "bye.*", "want", "cl.>", "res.>"), "_INBOX.>"] }
  }
}
