/** Finds modules of a package by name. */
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

/**
 * The URL of the module that a package exports under a name. `meta` is the caller's `import.meta`; loaders that turn it into CommonJS
 * (tsx in a project without `"type": "module"`) leave out its `resolve`.
 */
export const resolveModule = (
  meta: { readonly url: string; readonly resolve?: ((specifier: string) => string) | undefined },
  specifier: string
): string =>
  meta.resolve === undefined
    ? pathToFileURL(createRequire(meta.url).resolve(specifier)).href
    : meta.resolve(specifier)
