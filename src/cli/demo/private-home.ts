/**
 * A home of its own for one OpenCode server: nothing of the user's set-up is read, nothing is
 * written outside, nothing but the loopback is needed.
 */

import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { ScriptedModel } from "./scripted-model.ts"

/** One model id of a private home. */
export interface PrivateModel {
  /** Context window in tokens. Default 200,000; a small one makes OpenCode compact. */
  context?: number
  /** Most tokens of one answer. Default 8,000. */
  output?: number
  /** Price per million tokens. Default 1 in, 2 out. */
  cost?: { input: number; output: number }
}

/** What the private home is to hold. */
export interface PrivateHomeOptions {
  model: Pick<ScriptedModel, "baseURL">
  /** Provider id → model ids. Default `{ acme: { fast: {}, deep: {}, small: {} }, globex: { large: {} } }`. */
  providers?: Record<string, Record<string, PrivateModel>>
  /** `provider/model` of prompts that name none. Default: the first model. */
  defaultModel?: string
  /** `provider/model` for titles. Default: the model called `small`, else the default model. */
  smallModel?: string
  /** OpenCode's `agent` definitions. */
  agents?: Record<string, unknown>
  /** OpenCode's `permission` settings. */
  permission?: unknown
  /** OpenCode's `compaction` settings. */
  compaction?: unknown
  /** OpenCode's `plugin` entries. */
  plugins?: (string | [string, Record<string, unknown>])[]
  /** More keys of OpenCode's config; they win. */
  config?: Record<string, unknown>
  /** More environment variables; they win. */
  env?: Record<string, string>
  /** Read the project's own `.opencode` folder and `opencode.json`. Default false. */
  projectConfig?: boolean
}

/** A private home and the environment that leads a program into it. */
export interface PrivateHome extends Disposable {
  readonly root: string
  /** OpenCode's config folder inside the home. */
  readonly configFolder: string
  /** An empty folder for projects. */
  readonly projects: string
  /** The whole environment to give to the server: an allow-list, never the host's own. */
  readonly env: Record<string, string>
  readonly config: Record<string, unknown>
  /** `provider/model` of prompts that name none. */
  readonly defaultModel: string
  /** Removes everything. */
  dispose(): void
}

const DEFAULT_PROVIDERS: Record<string, Record<string, PrivateModel>> = {
  acme: { fast: {}, deep: {}, small: {} },
  globex: { large: {} },
}

/** What a program needs of the host, besides where programs are. */
const INHERITED = ["LANG", "LC_ALL", "TZ", "SHELL", "USER", "LOGNAME"]

const SWITCHED_OFF = [
  "AUTOUPDATE",
  "MODELS_FETCH",
  "LSP_DOWNLOAD",
  "SHARE",
  "DEFAULT_PLUGINS",
  "CLAUDE_CODE",
  "EXTERNAL_SKILLS",
  "EMBEDDED_WEB_UI",
]

/** Makes a private home under the system's folder for temporary files. */
export function makePrivateHome(options: PrivateHomeOptions): PrivateHome {
  // The real path: OpenCode compares directories as text, and /tmp is a link on macOS.
  const root = realpathSync(mkdtempSync(join(tmpdir(), "opencode-lanes-")))
  const folder = (name: string): string => {
    const path = join(root, name)
    mkdirSync(path, { recursive: true })
    return path
  }
  const xdgConfig = folder("config")
  const configFolder = folder("config/opencode")
  preventInstall(configFolder)

  const config = configOf(options)
  const env: Record<string, string> = {
    ...inherited(),
    PATH: [process.env["PATH"] ?? "/usr/bin:/bin", standIns(folder("bin"))].join(delimiter),
    HOME: folder("home"),
    TMPDIR: folder("tmp"),
    XDG_CONFIG_HOME: xdgConfig,
    XDG_DATA_HOME: folder("data"),
    XDG_CACHE_HOME: folder("cache"),
    XDG_STATE_HOME: folder("state"),
    OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
    ...(options.projectConfig ? {} : { OPENCODE_DISABLE_PROJECT_CONFIG: "1" }),
    ...Object.fromEntries(SWITCHED_OFF.map((name) => [`OPENCODE_DISABLE_${name}`, "1"])),
    OPENCODE_EXPERIMENTAL_DISABLE_FILEWATCHER: "1",
    GIT_CONFIG_NOSYSTEM: "1",
    npm_config_offline: "true",
    ...options.env,
  }
  const dispose = (): void => rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  return {
    root,
    configFolder,
    projects: folder("projects"),
    env,
    config,
    defaultModel: String(config["model"]),
    dispose,
    [Symbol.dispose]: dispose,
  }
}

function configOf(options: PrivateHomeOptions): Record<string, unknown> {
  const providers = options.providers ?? DEFAULT_PROVIDERS
  const ids = Object.entries(providers).flatMap(([provider, models]) =>
    Object.keys(models).map((id) => `${provider}/${id}`),
  )
  const model = options.defaultModel ?? ids[0]
  if (model === undefined) throw new Error("A private home needs at least one provider with one model.")
  return {
    autoupdate: false,
    share: "disabled",
    snapshot: false,
    lsp: false,
    formatter: false,
    enabled_providers: Object.keys(providers),
    model,
    small_model: options.smallModel ?? ids.find((id) => id.endsWith("/small")) ?? model,
    provider: Object.fromEntries(
      Object.entries(providers).map(([id, models]) => [id, providerOf(id, models, options.model)]),
    ),
    ...(options.agents ? { agent: options.agents } : {}),
    ...(options.permission === undefined ? {} : { permission: options.permission }),
    ...(options.compaction === undefined ? {} : { compaction: options.compaction }),
    ...(options.plugins ? { plugin: options.plugins } : {}),
    ...options.config,
  }
}

function providerOf(id: string, models: Record<string, PrivateModel>, model: Pick<ScriptedModel, "baseURL">): unknown {
  const entries = Object.entries(models).map(
    ([name, { context = 200_000, output = 8000, cost = { input: 1, output: 2 } }]) => [
      name,
      { name, tool_call: true, limit: { context, output }, cost },
    ],
  )
  return {
    npm: "@ai-sdk/openai-compatible",
    name: id,
    options: { baseURL: model.baseURL(id), apiKey: "scripted" },
    models: Object.fromEntries(entries),
  }
}

/** OpenCode installs `@opencode-ai/plugin` into a config folder unless it looks installed already. */
function preventInstall(configFolder: string): void {
  const dependencies = { "@opencode-ai/plugin": "*" }
  mkdirSync(join(configFolder, "node_modules"), { recursive: true })
  writeFileSync(join(configFolder, "package.json"), JSON.stringify({ dependencies }))
  writeFileSync(
    join(configFolder, "package-lock.json"),
    JSON.stringify({ lockfileVersion: 3, packages: { "": { dependencies } } }),
  )
}

/** Programs OpenCode would download otherwise; last on the PATH, so that those of the machine win. */
function standIns(folder: string): string {
  const built = fileURLToPath(new URL("./ripgrep.js", import.meta.url))
  const program = existsSync(built) ? built : fileURLToPath(new URL("./ripgrep.ts", import.meta.url))
  const file = join(folder, "rg")
  writeFileSync(file, `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(program)} "$@"\n`)
  chmodSync(file, 0o755)
  return folder
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

function inherited(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}
