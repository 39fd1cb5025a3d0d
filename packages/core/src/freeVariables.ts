/** Which names a piece of JavaScript takes from its surroundings. */
import type { Node } from "acorn"

/** A node as it is walked: whatever its kind has. */
type Any = Node & { readonly [key: string]: any }

/** What is declared in a function or a block. */
class Scope {
  readonly names = new Set<string>()
  readonly parent: Scope | undefined
  /** Whether `this` means something here that comes with the code. */
  readonly hasThis: boolean
  constructor(parent: Scope | undefined, hasThis = parent?.hasThis ?? false) {
    this.parent = parent
    this.hasThis = hasThis
  }
  has(name: string): boolean {
    return this.names.has(name) || this.parent?.has(name) === true
  }
}

export interface Free {
  /** Names that are used and not declared, in the order in which they are used. */
  readonly names: ReadonlySet<string>
  /** Those of them that are called. */
  readonly called: ReadonlySet<string>
  /** Where `import(...)` begins. */
  readonly imports: ReadonlyArray<number>
}

const isNode = (value: unknown): value is Any =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string"

const childrenOf = (node: Any): ReadonlyArray<Any> => Object.values(node).flat().filter(isNode)

const isFunction = ({ type }: Any): boolean =>
  /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type)

/** The names that a pattern binds. */
const bound = (pattern: Any | null): ReadonlyArray<string> => {
  switch (pattern?.type) {
    case "Identifier":
      return [pattern["name"]]
    case "ObjectPattern":
      return pattern["properties"].flatMap((each: Any) => bound(each.type === "RestElement" ? each : each["value"]))
    case "ArrayPattern":
      return pattern["elements"].flatMap(bound)
    case "RestElement":
      return bound(pattern["argument"])
    case "AssignmentPattern":
      return bound(pattern["left"])
    default:
      return []
  }
}

const declared = (node: Any): ReadonlyArray<string> => node["declarations"].flatMap(({ id }: Any) => bound(id))

/** What `var` declares anywhere in a function, those inside of it left out. */
const vars = (node: Any): ReadonlyArray<string> => {
  if (isFunction(node) || node.type === "StaticBlock") return []
  const own = node.type === "VariableDeclaration" && node["kind"] === "var" ? declared(node) : []
  return [...own, ...childrenOf(node).flatMap(vars)]
}

/** What a list of statements declares for itself. */
const lexical = (statements: ReadonlyArray<Any>): ReadonlyArray<string> =>
  statements.flatMap((statement) => {
    if (statement.type === "VariableDeclaration") return statement["kind"] === "var" ? [] : declared(statement)
    return /^(Function|Class)Declaration$/.test(statement.type) ? [statement["id"].name as string] : []
  })

/** The free names of an expression. */
export const freeVariables = (expression: Node): Free => {
  const names = new Set<string>()
  const called = new Set<string>()
  const imports: Array<number> = []

  const use = (name: string, scope: Scope): void => {
    if (!scope.has(name)) names.add(name)
  }
  const all = (nodes: ReadonlyArray<Any | null>, scope: Scope): void => {
    for (const node of nodes) if (node !== null) visit(node, scope)
  }
  const block = (statements: ReadonlyArray<Any>, parent: Scope): void => {
    const scope = new Scope(parent)
    for (const name of lexical(statements)) scope.names.add(name)
    all(statements, scope)
  }

  const enter = (node: Any, outer: Scope): void => {
    const isArrow = node.type === "ArrowFunctionExpression"
    const scope = new Scope(outer, isArrow ? outer.hasThis : true)
    if (!isArrow) scope.names.add("arguments")
    if (node.type === "FunctionExpression" && node["id"] !== null) scope.names.add(node["id"].name)
    for (const name of node["params"].flatMap(bound)) scope.names.add(name)
    const body = node["body"] as Any
    if (body.type === "BlockStatement") {
      for (const name of [...vars(body), ...lexical(body["body"])]) scope.names.add(name)
    }
    all(node["params"], scope)
    all(body.type === "BlockStatement" ? body["body"] : [body], scope)
  }

  const enterClass = (node: Any, outer: Scope): void => {
    const scope = new Scope(outer)
    if (node["id"] !== null) scope.names.add(node["id"].name)
    all([node["superClass"]], scope)
    for (const member of node["body"].body as ReadonlyArray<Any>) {
      const inner = new Scope(scope, true)
      if (member.type === "StaticBlock") {
        for (const name of member["body"].flatMap(vars)) inner.names.add(name)
        block(member["body"], inner)
        continue
      }
      if (member["computed"]) visit(member["key"], scope)
      inner.names.add("arguments")
      all([member["value"]], inner)
    }
  }

  const visit = (node: Any, scope: Scope): void => {
    if (isFunction(node)) return enter(node, scope)
    switch (node.type) {
      case "Identifier":
        return use(node["name"], scope)
      case "ThisExpression":
      case "Super":
        return scope.hasThis ? undefined : void names.add(node.type === "Super" ? "super" : "this")
      case "MetaProperty":
        return node["meta"].name === "import" ? void names.add("import.meta") : undefined
      case "CallExpression":
        if (node["callee"].type === "Identifier" && !scope.has(node["callee"].name)) called.add(node["callee"].name)
        break
      case "ImportExpression":
        imports.push(node.start)
        break
      case "ClassDeclaration":
      case "ClassExpression":
        return enterClass(node, scope)
      case "MemberExpression":
        return all(node["computed"] ? [node["object"], node["property"]] : [node["object"]], scope)
      case "Property":
        return all(node["computed"] ? [node["key"], node["value"]] : [node["value"]], scope)
      case "LabeledStatement":
        return visit(node["body"], scope)
      case "BreakStatement":
      case "ContinueStatement":
        return
      case "BlockStatement":
        return block(node["body"], scope)
      case "SwitchStatement":
        visit(node["discriminant"], scope)
        return block(node["cases"].flatMap((each: Any) => [each["test"], ...each["consequent"]]).filter(isNode), scope)
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement": {
        const inner = new Scope(scope)
        for (const name of lexical([node["init"] ?? node["left"]].filter(isNode))) inner.names.add(name)
        return all(childrenOf(node), inner)
      }
      case "CatchClause": {
        const inner = new Scope(scope)
        for (const name of bound(node["param"])) inner.names.add(name)
        return all([node["param"], node["body"]], inner)
      }
    }
    all(childrenOf(node), scope)
  }

  visit(expression as Any, new Scope(undefined))
  return { names, called, imports }
}
