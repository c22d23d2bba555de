import { describe, expect, test } from "bun:test"
import manifest from "../../package.json" with { type: "json" }
import { completionScript } from "../../src/cli/completion.ts"
import { argumentsOf, overview, verbHelp } from "../../src/cli/help.ts"
import { colorsFor } from "../../src/cli/output/colors.ts"
import { verbs } from "../../src/cli/verbs.ts"
import { LANES, run } from "../helpers/command.ts"
import { TestTerminal } from "../helpers/terminal.ts"

const plain = colorsFor({}, {})
const lanes = (...words: string[]) => run([...LANES, ...words])

describe("lanes help", () => {
  test("names every verb with the sentence the verb has of itself", async () => {
    const text = overview(verbs, "1.2.3", { columns: 100, colors: plain })
    for (const [name, { about, load }] of Object.entries(verbs)) {
      const { meta = {} } = await load()
      expect([name, (typeof meta === "function" ? await meta() : await meta).description]).toEqual([name, about])
      expect(text).toContain(about)
    }
    expect(text).toContain("opencode-lanes 1.2.3")
  })

  test.each([40, 60, 100])("fits into %i columns, with every option of every verb", async (columns) => {
    for (const [name, { load }] of Object.entries(verbs)) {
      const verb = await load()
      const lines = (await verbHelp(name, verb, { columns, colors: plain })).split("\n")
      expect(lines.filter((line) => line.length > columns)).toEqual([])
      for (const [option, { type }] of Object.entries(await argumentsOf(verb))) {
        expect(lines.join("\n")).toContain(type === "positional" ? option : `--${option}`)
      }
    }
  })

  test("is the same by every way to ask, and plain in a pipe", async () => {
    const [a, b, c] = await Promise.all([lanes("help", "run"), lanes("run", "--help"), lanes("run", "x", "-h")])
    expect(a.stdout).toBe(b.stdout)
    expect(a.stdout).toBe(c.stdout)
    expect(a.stdout).toBe(Bun.stripANSI(a.stdout))
    expect([a.exitCode, b.exitCode, c.exitCode]).toEqual([0, 0, 0])
    expect((await lanes("--version")).stdout).toBe(`${manifest.version}\n`)
  })

  test.each(["help", "--help", "-h", "--version"])("of %s is the overview", async (word) => {
    const [asked, all] = await Promise.all([lanes("help", word), lanes("help")])
    expect(asked).toEqual({ exitCode: 0, stdout: all.stdout, stderr: "" })
  })

  test.skipIf(Bun.which("tmux") === null)("in a terminal: coloured, unless NO_COLOR says no", async () => {
    for (const [more, colored] of [
      [{}, true],
      [{ NO_COLOR: "1" }, false],
    ] as const) {
      using terminal = new TestTerminal({ columns: 60, rows: 40 }, { ...process.env, NO_COLOR: undefined, ...more })
      terminal.type(`clear; '${LANES.join("' '")}' help > /dev/tty; '${LANES.join("' '")}' help | cat; echo "done"`)
      await terminal.shows(/^done$/)
      expect(terminal.screen(true).filter((line) => line.length > 60)).toEqual([])
      terminal.type(`clear; script -qc "'${LANES.join("' '")}' help" /dev/null | od -c | grep -c 033; echo "over"`)
      await terminal.shows(/^over$/)
      const [count] = terminal.screen().filter((line) => /^\d+$/.test(line))
      expect(Number(count) > 0).toBe(colored)
    }
  })
})

describe("a mistyped command line", () => {
  test.each([
    [["rnu"], /There is no command "rnu"\. Did you mean "run"\?/],
    [["doctr"], /Did you mean "doctor"\?/],
    [["zzzz"], /See lanes --help\./],
    [["run", "--modell", "a/b", "x"], /lanes run has no option "--modell"\. Did you mean "--model"\?/],
    [["run", "--no-wiat", "x"], /Did you mean "--no-wait"\?/],
    [["run", "find", "the", "bug"], /"the" is one word too many for lanes run: quote what belongs together/],
    [["run", "--ttl", "300", "x"], /--ttl: expected a time of at least 1s such as 90s, 5m or 1h 30m, got "300"/],
    [["run", "--server", "4096", "x"], /--server: expected spawn or an address/],
    [["run", "--dir", "/nowhere", "x"], /--dir: there is no folder \/nowhere/],
    [["run", "--server=spawn", "--no-wait", "x"], /--no-wait needs a server that stays/],
    [["batch", "/nowhere.jsonl"], /^error: \/nowhere\.jsonl: there is no such file\.$/m],
    [["batch", "x.jsonl", "--limits", "lots"], /--limits: expected limits such as|no such file/],
    [["output"], /lanes output: the id is missing\. See lanes output --help\./],
    [["output", "--json"], /the id is missing/],
    [["continue"], /lanes continue: the id is missing/],
    [["completion", "tcsh"], /expected bash, zsh or fish, got "tcsh"/],
  ])("%j: exit 2 and a sentence", async (words, says) => {
    const { exitCode, stdout, stderr } = await lanes(...words)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" })
    expect(stderr).toMatch(/^error: .*\n$/)
    expect(stderr).toMatch(says)
  })
})

describe("completion", () => {
  test.each(["bash", "zsh", "fish"] as const)("%s knows every verb and option", async (shell) => {
    const script = await completionScript(shell, verbs)
    for (const [name, { load }] of Object.entries(verbs)) {
      expect(script).toContain(name)
      for (const [option, { type }] of Object.entries(await argumentsOf(await load()))) {
        if (type !== "positional") expect(script).toContain(shell === "fish" ? `-l ${option} ` : `--${option}`)
      }
    }
  })

  test("bash completes verbs, options and files", async () => {
    const ask = async (words: readonly string[]): Promise<string[]> => {
      const script = `${await completionScript("bash", verbs)}
COMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")}); COMP_CWORD=${words.length - 1}; _lanes; printf '%s\\n' "\${COMPREPLY[@]}"`
      return (await run(["bash", "-c", script])).stdout.trim().split("\n")
    }
    expect(await ask(["lanes", "ru"])).toEqual(["run"])
    expect(await ask(["lanes", "run", "--no"])).toEqual(["--no-wait"])
    expect(await ask(["lanes", "batch", "package.j"])).toEqual(["package.json"])
  })
})
