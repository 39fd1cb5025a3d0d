/** `docs/errors.md`: every error has its place, and a piece of code that shows it; `pages.test.ts` runs them. */
import * as core from "@futures/core"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8")

describe("docs/errors.md", () => {
  it("has a heading for every error, and none for another", () => {
    const classes = Object.entries(core).filter(([, value]) =>
      typeof value === "function" && value.prototype instanceof Error
    )
    const headings = [...page.matchAll(/^## (\w+Error)$/gm)].map(([, name]) => name)
    expect(headings.toSorted()).toEqual(classes.map(([name]) => name).toSorted())
  })

  it("shows under each heading what code prints", () => {
    for (const section of page.split(/^## /m).slice(1)) expect(section).toMatch(/```ts\n.*?```\n\n```text\n/s)
  })
})
