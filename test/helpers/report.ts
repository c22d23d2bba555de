import { appendFileSync } from "node:fs"
import { join } from "node:path"

/** Writes a table into the test run's report, or prints it when a file is run alone. Times are told, never asserted. */
export function report(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`
  const table = [`### ${title}`, "", line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n")
  const folder = process.env["LANES_REPORT"]
  if (folder === undefined) process.stdout.write(`\n${table}\n`)
  else appendFileSync(join(folder, "end-to-end.md"), `${table}\n`)
}
