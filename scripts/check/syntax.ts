/**
 * Two rules that no linter rule can express, read off the syntax tree:
 * the core does not ask what time it is by `new Date()`, and nobody reaches `proxy` through a comlink namespace.
 */
import { relative, resolve } from "node:path"
import ts from "typescript"

const NOW = "The core decides; time comes in as an argument."
const PROXY = "A callback handed to a worker is code execution in the coordinator; report with plain tagged messages."

const decides = /^src\/(core|coordinator)\//
const files = [...new Bun.Glob("{src,workers,scripts,test}/**/*.{ts,tsx}").scanSync()]
const broken: string[] = []

/** The local names under which a file knows the whole of comlink. */
function comlinkNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue
    if (statement.moduleSpecifier.text !== "comlink") continue
    const bindings = statement.importClause?.namedBindings
    if (bindings && ts.isNamespaceImport(bindings)) names.add(bindings.name.text)
  }
  return names
}

function check(file: string): void {
  const text = ts.sys.readFile(file) ?? ""
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const comlink = comlinkNames(source)
  const report = (node: ts.Node, sentence: string): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart())
    broken.push(`${relative(".", resolve(file))}:${line + 1}  ${sentence}`)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length) {
      if (decides.test(file)) report(node, NOW)
    }
    if (ts.isPropertyAccessExpression(node) && node.name.text === "proxy" && comlink.has(node.expression.getText())) {
      report(node, PROXY)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
}

for (const file of files) check(file)
if (files.length === 0) broken.push("no TypeScript file found: there is nothing to check")
if (broken.length > 0) {
  console.error(broken.join("\n"))
  process.exit(1)
}
console.log(`${files.length} files keep to the rules of syntax`)
