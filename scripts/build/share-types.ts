/** Moves what rolled-up declaration files declare alike into one file they share. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"

/** What is declared under one name: a type and a constant may share it, as may the overloads of a function. */
interface Declared {
  /** Each with the comments above it, and without `export`. */
  readonly statements: readonly { readonly comments: string; readonly words: string }[]
  readonly exported: boolean
  /** Every name in it. */
  readonly mentions: ReadonlySet<string>
}

interface Types {
  readonly declared: ReadonlyMap<string, Declared>
  /** `/// <reference …>` above all, and `export { … }` between. */
  readonly rest: readonly string[]
}

/** Writes `<shared>.d.ts` into the folder, and `<name>.d.ts` of each name anew. */
export function shareTypes(folder: string, names: readonly string[], shared: string): void {
  const path = (name: string): string => join(folder, `${name}.d.ts`)
  const files = names.map((name) => ({ name, ...read(path(name)) }))
  const alike = alikeIn(files)
  const moved = [...alike.values()].map((each) => print({ ...each, exported: true }))
  const [head = ""] = files[0]?.rest ?? []
  writeFileSync(path(shared), [head, ...moved, ""].join("\n"))
  for (const { name, declared, rest } of files) {
    const own = [...declared].filter(([key]) => !alike.has(key))
    const wanted = new Set([
      ...own.flatMap(([, { mentions }]) => [...mentions]),
      ...rest.flatMap((line) => line.split(" ")),
    ])
    const used = [...alike.keys()].filter((key) => wanted.has(key))
    const passedOn = [...alike.keys()].filter((key) => declared.get(key)?.exported === true)
    const [first = "", ...others] = rest
    const lines = [
      first,
      `import type { ${used.join(", ")} } from "./${shared}.js"`,
      ...(passedOn.length > 0 ? [`export { ${passedOn.join(", ")} } from "./${shared}.js"`] : []),
      ...own.map(([, each]) => print(each)),
      ...others,
      "",
    ]
    writeFileSync(path(name), lines.join("\n"))
  }
}

/** What all declare in the same words, as long as it mentions nothing that they do not. */
function alikeIn(files: readonly Types[]): Map<string, Declared> {
  const [first, ...others] = files.map(({ declared }) => declared)
  const same = (a: Declared, b?: Declared): boolean => Bun.deepEquals(a.statements, b?.statements)
  const alike = new Map([...(first ?? [])].filter(([name, own]) => others.every((other) => same(own, other.get(name)))))
  const isOwn = (name: string): boolean => first?.has(name) === true && !alike.has(name)
  for (let before = -1; before !== alike.size;) {
    before = alike.size
    for (const [name, { mentions }] of alike) if ([...mentions].some(isOwn)) alike.delete(name)
  }
  return alike
}

function read(path: string): Types {
  const text = readFileSync(path, "utf8")
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const declared = new Map<string, Declared>()
  const rest = [text.slice(0, text.indexOf("\n"))]
  for (const statement of source.statements) {
    const name = nameOf(statement)
    if (name === undefined) {
      rest.push(statement.getText())
      continue
    }
    const above = ts.getLeadingCommentRanges(text, statement.pos) ?? []
    const comments = above.map(({ pos, end }) => text.slice(pos, end)).filter((comment) => comment.startsWith("/**"))
    const words = statement.getText()
    const before = declared.get(name)
    declared.set(name, {
      statements: [
        ...(before?.statements ?? []),
        { comments: comments.map((comment) => `${comment}\n`).join(""), words: words.replace(/^export /, "") },
      ],
      exported: words.startsWith("export "),
      mentions: new Set([...(before?.mentions ?? []), ...namesIn(statement)]),
    })
  }
  return { declared, rest }
}

function print({ statements, exported }: Declared): string {
  return statements.map(({ comments, words }) => `${comments}${exported ? "export " : ""}${words}`).join("\n")
}

function nameOf(statement: ts.Statement): string | undefined {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText()
  const named =
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isFunctionDeclaration(statement)
  return named ? statement.name?.getText() : undefined
}

function namesIn(node: ts.Node): string[] {
  return ts.isIdentifier(node) ? [node.text] : node.getChildren().flatMap(namesIn)
}
