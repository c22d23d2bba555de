/** Runs our commands as a user would: as a process of their own, in a folder for temporary files that must stay empty. */

import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const ROOT = resolve(import.meta.dir, "../..")

/** The words that start the command line from the sources. */
export const LANES: readonly string[] = [process.execPath, join(ROOT, "src/cli/main.ts")]

export interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** A folder for a command's temporary files, by which all it starts can be told. */
export interface Traces extends Disposable {
  readonly folder: string
  readonly env: Record<string, string | undefined>
  /** What is left of it: files by name, processes by pid. */
  left(): { files: string[]; processes: number[] }
}

export function watchTraces(): Traces {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "lanes-traces-")))
  const state = mkdtempSync(join(tmpdir(), "lanes-state-"))
  return {
    folder,
    env: { ...process.env, TMPDIR: folder, XDG_STATE_HOME: state, NO_COLOR: undefined, FORCE_COLOR: undefined },
    left: () => ({ files: readdirSync(folder), processes: processesWith(folder) }),
    [Symbol.dispose]: () => [folder, state].forEach((each) => rmSync(each, { recursive: true, force: true })),
  }
}

/** Living processes with this text in their environment. */
export function processesWith(text: string): number[] {
  const { stdout } = Bun.spawnSync(["ps", "axeww", "-o", "pid=,stat=,command="])
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line.includes(text))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, state]) => !state?.startsWith("Z"))
    .map(([pid]) => Number(pid))
}

/** Runs a command to its end. */
export async function run(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Promise<Ended> {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? process.env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { exitCode, stdout, stderr }
}

/** The words as one line for a shell. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")
}
