/** Names that a function takes from outside, compared with those that V8 looks up when it runs. */
import { fc } from "@fast-check/vitest"
import { parse } from "acorn"
import { expect, test } from "vitest"
import { freeVariables } from "../src/freeVariables.ts"

const name = fc.constantFrom("a", "b", "c", "d")

/** Statements that declare in every way, use names, and run to their end. */
const { statements } = fc.letrec<{ statement: string; statements: string }>((tie) => ({
  statements: fc.array(tie("statement"), { maxLength: 3 }).map((all) => all.join(" ")),
  statement: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    name.map((it) => `void ${it};`),
    name.map((it) => `({ ${it}, x: 1 }).${it};`),
    name.map((it) => `typeof ${it}; \`\${${it}}\`;`),
    fc.tuple(name, tie("statements")).map(([it, body]) => `{ let ${it} = 1; ${body} }`),
    fc.tuple(name, tie("statements")).map(([it, body]) => `(function ${it}() { ${body} })();`),
    fc.tuple(name, name, tie("statements")).map(([it, other, body]) => `((${it}, y = ${other}) => { ${body} })();`),
    fc.tuple(name, tie("statements")).map(([it, body]) => `(function () { { var ${it} = 1; } ${body} })();`),
    fc.tuple(name, tie("statements")).map(([it, body]) => `{ function ${it}() { ${body} } ${it}(); }`),
    fc.tuple(name, tie("statements")).map(([it, body]) => `for (const ${it} of [1]) { ${body} }`),
    fc.tuple(name, name, tie("statements")).map(([it, other, body]) =>
      `for (let ${it} = 1, once = true; once; once = false) { void ${other}; ${body} }`
    ),
    fc.tuple(name, tie("statements")).map(([it, body]) => `try { throw { ${it}: 1 } } catch ({ ${it} }) { ${body} }`),
    fc.tuple(name, name, tie("statements")).map(([it, other, body]) =>
      `{ class ${it} { static ${other} = 1; #p = 1; m() { ${body} } } new ${it}().m(); }`
    ),
    fc.tuple(name, name, name, tie("statements")).map(([it, key, other, body]) =>
      `{ const { ${key}: { ${it} = ${other === it ? 1 : other} } = {}, ...z } = {}; ${body} }`
    ),
    fc.tuple(name, tie("statements")).map(([it, body]) => `switch (1) { case 1: let ${it} = 1; ${body} }`),
    fc.tuple(name, tie("statements")).map(([it, body]) => `${it}: for (;;) { (() => { ${body} })(); break ${it}; }`)
  )
}))

/** What V8 looks up outside while the statements run. */
const lookedUp = (body: string): Set<string> => {
  const names = new Set<string>()
  const outside = new Proxy({}, {
    has: (_, key) => {
      if (typeof key === "string" && key.length === 1) names.add(key)
      return typeof key === "string" && key.length === 1
    },
    get: () => 1
  })
  new Function("outside", `with (outside) { (() => { "use strict"; ${body} })() }`)(outside)
  return names
}

test("Free names are those that V8 looks up outside", () => {
  fc.assert(
    fc.property(statements, (body) => {
      const [statement] = parse(`(() => { ${body} })`, { ecmaVersion: "latest" }).body
      const { names } = freeVariables((statement as never as { readonly expression: never }).expression)
      expect([body, [...names].toSorted()]).toEqual([body, [...lookedUp(body)].toSorted()])
    }),
    { numRuns: 2_000 }
  )
})
