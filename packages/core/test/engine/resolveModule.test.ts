import { expect, test } from "vitest"
import { resolveModule } from "../../src/engine/resolveModule.ts"

test("a module is found by name where import.meta has no resolve, as under tsx in CommonJS", () => {
  const { url } = import.meta
  for (const name of ["@futures/core", "@futures/core/Worker"]) {
    expect(resolveModule({ url }, name)).toBe(resolveModule(import.meta, name))
  }
})
