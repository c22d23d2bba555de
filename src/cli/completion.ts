/** `lanes completion bash|zsh|fish`: a script that knows the verbs and their options. */

import { defineCommand } from "citty"
import type { ArgsDef, CommandDef } from "citty"
import { optionNames } from "./command-line.ts"
import { argumentsOf } from "./help.ts"
import { UsageError } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import type { VerbEntry } from "./verb.ts"

/** A verb with what may follow it. */
interface Completed {
  readonly name: string
  readonly about: string
  readonly options: readonly { readonly name: string; readonly about: string }[]
}

const args = {
  shell: { type: "positional", required: false, description: "bash, zsh or fish. Default: the one of SHELL" },
} as const

type Verbs = Readonly<Record<string, VerbEntry>>

export function completionOf(verbs: Verbs): CommandDef<typeof args> {
  return defineCommand({
    meta: { name: "completion", description: "Print the completion script of a shell" },
    args,
    run: async ({ args: { shell } }) => {
      const chosen = shell ?? usualShell()
      if (!isShell(chosen)) throw new UsageError(`lanes completion: expected bash, zsh or fish, got "${chosen}".`)
      process.stdout.write(await completionScript(chosen, verbs))
      return EXIT.ok
    },
  })
}

const SHELLS = ["bash", "zsh", "fish"] as const
export type Shell = (typeof SHELLS)[number]

function isShell(text: string): text is Shell {
  return (SHELLS as readonly string[]).includes(text)
}

function usualShell(): Shell {
  const name = process.env["SHELL"]?.split("/").at(-1)
  return name === "zsh" || name === "fish" ? name : "bash"
}

/** The script, and above it how to use it. */
export async function completionScript(shell: Shell, verbs: Verbs): Promise<string> {
  const known = await Promise.all(
    Object.entries(verbs).map(async ([name, { about, load }]) => ({
      name,
      about,
      options: optionsOf(await argumentsOf(await load())),
    })),
  )
  return { bash, zsh, fish }[shell](known)
}

function optionsOf(definition: ArgsDef): Completed["options"] {
  const own = optionNames(definition).map((name) => {
    const said = definition[name.slice(2)] ?? definition[name.slice(5)]
    return { name, about: said?.description ?? "" }
  })
  return [...own, { name: "--help", about: "What it does and takes" }]
}

function bash(known: readonly Completed[]): string {
  const cases = known.map(
    ({ name, options }) => `    ${name}) words="${options.map((option) => option.name).join(" ")}" ;;`,
  )
  return `# bash: eval "$(lanes completion bash)"
_lanes() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${known.map(({ name }) => name).join(" ")} help --version"
  else case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  case "$word" in -*) ;; *) [ "$COMP_CWORD" -gt 1 ] && COMPREPLY=($(compgen -f -- "$word")) ;; esac
}
complete -o filenames -F _lanes lanes opencode-lanes
`
}

function zsh(known: readonly Completed[]): string {
  const plain = (text: string): string => text.replaceAll(/['[\]:]/g, "")
  const cases = known.map(({ name, options }) => {
    const specs = options.map((option) => `'${option.name}[${plain(option.about)}]'`).join(" ")
    return `    ${name}) _arguments ${specs} '*:file:_files' ;;`
  })
  return `#compdef lanes opencode-lanes
# zsh: eval "$(lanes completion zsh)"
_lanes() {
  local -a verbs=(${known.map(({ name, about }) => `'${name}:${plain(about)}'`).join(" ")})
  if (( CURRENT == 2 )); then _describe command verbs; return; fi
  case "\${words[2]}" in
${cases.join("\n")}
  esac
}
compdef _lanes lanes opencode-lanes
`
}

function fish(known: readonly Completed[]): string {
  const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
  const lines = known.flatMap(({ name, about, options }) => [
    `complete -c lanes -n __fish_use_subcommand -a ${name} -d ${quote(about)}`,
    ...options.map(
      (option) =>
        `complete -c lanes -n '__fish_seen_subcommand_from ${name}' -l ${option.name.slice(2)} -d ${quote(option.about)}`,
    ),
  ])
  return `# fish: lanes completion fish | source\n${lines.join("\n")}\n`
}
