/** What the documents name exists, and nothing in the repository points at the machine it was written on. */
import { describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"

const ROOT = resolve(import.meta.dir, "../..")

/** Tracked files, and new ones that are not ignored. */
function repositoryFiles(): string[] {
  const git = Bun.spawnSync(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT })
  if (git.exitCode !== 0) throw new Error(`git does not list the files: ${git.stderr.toString()}`)
  return git.stdout
    .toString()
    .split("\0")
    .filter((file) => file !== "" && existsSync(join(ROOT, file)))
}

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8")
const files = repositoryFiles()
const documents = files.filter((file) => file.endsWith(".md"))

/** Folders and files of a document's code spans that can only mean a path of this repository. */
function namedPaths(text: string): string[] {
  const spans = [...text.matchAll(/`([^`\s]+)`/g)].map((match) => match[1] ?? "")
  const here =
    /^(?:\.\/)?(?:(?:src|workers|test|scripts|\.ci)\/[\w./-]*|[\w-]+\.(?:md|toml)|(?:tsconfig|package)\.json)$/
  return [...new Set(spans.filter((span) => here.test(span)))]
}

/** Targets of a document's links that lie in this repository, without their fragment. */
function linkedPaths(text: string): string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, "").replaceAll(/`[^`\n]*`/g, "")
  return [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target) && !target.startsWith("#"))
    .map((target) => decodeURI(target.replace(/#.*$/, "")))
}

/** Scripts a document tells its reader to run. */
function namedScripts(text: string): string[] {
  return [...new Set([...text.matchAll(/\bbun run ([a-z][\w:-]*)(?![\w:-]|[./]\w)/g)].map((match) => match[1] ?? ""))]
}

const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> }

test("the documents are found", () => expect(documents).toContain("CONTRIBUTING.md"))

describe.each(documents)("%s", (document) => {
  test("names only paths that exist", () => {
    expect(namedPaths(read(document)).filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test("links only to what exists", () => {
    const broken = linkedPaths(read(document)).filter((path) => !existsSync(join(ROOT, dirname(document), path)))
    expect(broken).toEqual([])
  })

  test("names only scripts that exist", () => {
    expect(namedScripts(read(document)).filter((script) => !Object.hasOwn(scripts, script))).toEqual([])
  })
})

test("a path and a link that lead nowhere are seen", () => {
  expect(namedPaths("see `src/gone.ts`, `bun run test` and `./NOTES.md`")).toEqual(["src/gone.ts", "./NOTES.md"])
  expect(linkedPaths('[a](docs/gone.md#part) [b](https://x.example) [c](#d) `[e](f)` [g](h.md "t")')).toEqual([
    "docs/gone.md",
    "h.md",
  ])
})

test("a script that is none is seen", () => {
  expect(namedScripts("`bun run gone`, `bun run check:types`. `bun run src/own.ts` runs a file")).toEqual([
    "gone",
    "check:types",
  ])
})

/** Letters in brackets keep this file from containing what it looks for. */
const FOREIGN: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a home folder", /[/](?:home|Users)[/][a-z][\w-]*[/]|[/]root[/]/i],
  ["a working folder", /(?<![\w.}*-])[/]work[/]/],
  ["a package registry", /registry[.](?:npmjs|yarnpkg)|[v]erdaccio|[a]rtifactory|[/]-[/][\w.-]+[.]tgz/],
  ["a private address", /\b(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+\b/],
]

describe.each(FOREIGN)("%s", (_what, pattern) => {
  test("is named in no file", () => {
    const found = files
      .filter((file) => !/\.(?:png|gif|woff2|ico|db)$/.test(file))
      .filter((file) => pattern.test(read(file)))
    expect(found).toEqual([])
  })
})

test("each of them would be seen", () => {
  const samples = [
    ["", "home", "ada", "x"].join("/"),
    ["cd ", "work", "x"].join("/"),
    ["https://registry", "npmjs", "org/x"].join("."),
    ["http://10", "0", "0", "7:80"].join("."),
  ]
  expect(samples.map((sample, index) => FOREIGN[index]?.[1].test(sample))).toEqual([true, true, true, true])
})
