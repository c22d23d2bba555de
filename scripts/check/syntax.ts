/**
 * A rule that no linter rule can express, read off the syntax tree: the core does not ask for the time by `new Date()`,
 * while it may well write down a time that it was given, by `new Date(at)`.
 */
import ts from "typescript"

const files = [...new Bun.Glob("src/{core,coordinator}/**/*.ts").scanSync()]
const broken: string[] = []

function check(file: string): void {
  const source = ts.createSourceFile(file, ts.sys.readFile(file) ?? "", ts.ScriptTarget.Latest, true)
  const visit = (node: ts.Node): void => {
    const isDate = ts.isNewExpression(node) || ts.isCallExpression(node) ? node.expression.getText() === "Date" : false
    // `Date()` answers with the present time whatever it is given.
    if (isDate && (ts.isCallExpression(node) || !(node as ts.NewExpression).arguments?.length)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart())
      broken.push(`${file}:${line + 1}  The core decides; time comes in as an argument.`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
}

for (const file of files) check(file)
if (files.length === 0) broken.push("no file under src/core or src/coordinator: there is nothing to check")
if (broken.length > 0) {
  console.error(broken.join("\n"))
  process.exit(1)
}
console.log(`${files.length} files ask nobody for the time`)
