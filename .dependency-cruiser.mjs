// Who may import whom: one row for each part of the tree, and the sentence a violation is reported with.
// A row lists what the part may import besides itself; whatever is not listed is forbidden.

/** @param {...string} names */
const packages = (...names) => names.map((name) => `(^|/)node_modules/${name}/`)

const CORE = "^src/core/"
const COORDINATOR = "^src/coordinator/"
const PORTS = "^src/coordinator/ports[.]ts$"
const CONFIG = "^src/config([.]ts$|/)"
const COMPOSE = "^src/(compose|lanes|follow-events|check-input|answer-requests|inherit|undoing)[.]ts$"
const ADAPTERS = "^src/adapters/"
const WORKERS = "^workers/"
const PAGE = "^src/page/"
const SIM = "^src/sim/"
/** Modules of the platform (`node:fs`, `bun:sqlite`), which no path tells apart. */
const PLATFORM = "platform"

const rows = [
  {
    name: "core-decides",
    from: CORE,
    may: [],
    sentence: "core decides; it may not import adapters, packages or the platform",
  },
  {
    name: "coordinator-acts-through-ports",
    from: COORDINATOR,
    may: [CORE, ...packages("mitt")],
    sentence: "coordinator acts through its ports; it may import core and mitt alone",
  },
  {
    name: "config-is-one-schema",
    from: CONFIG,
    may: [CORE, ...packages("valibot", "@valibot/to-json-schema")],
    sentence: "config is one schema; it may import core and valibot alone",
  },
  {
    name: "adapters-touch-the-world",
    from: ADAPTERS,
    may: [
      CORE,
      CONFIG,
      PLATFORM,
      ...packages("@opencode-ai/sdk", "@opencode-ai/plugin", "eventsource-parser", "jsonc-parser"),
    ],
    typesOf: [PORTS],
    sentence:
      "adapters touch the world; they know core, config and the types of coordinator/ports, not who composes them",
  },
  {
    name: "workers-run-elsewhere",
    from: WORKERS,
    may: [CORE, PLATFORM, ...packages("comlink", "valibot", "@opencode-ai/sdk")],
    typesOf: [PORTS],
    sentence: "workers run elsewhere; they know core and the types of coordinator/ports, not the main thread's parts",
  },
  {
    name: "sim-knows-no-world",
    from: SIM,
    may: [CORE, COORDINATOR, CONFIG, PLATFORM, "^src/check-input[.]ts$", "^workers/drive-session[.]ts$"],
    sentence:
      "sim replaces the world; it may import core, coordinator, config, check-input and workers/drive-session alone",
  },
  {
    name: "compose-joins",
    from: COMPOSE,
    may: [CORE, COORDINATOR, CONFIG, ADAPTERS, WORKERS, PAGE, PLATFORM],
    sentence:
      "compose joins adapters and coordinator, and opens the page; it may not import sim, plugin, cli or a package",
  },
  {
    name: "index-is-the-library",
    from: "^src/index[.]ts$",
    may: [CORE, COORDINATOR, CONFIG, ADAPTERS, COMPOSE, WORKERS],
    sentence: "index is the library's surface; it may not import plugin, cli, page, sim or a package",
  },
  {
    name: "plugin-is-a-front-end",
    from: "^src/plugin/",
    may: [
      COMPOSE,
      CONFIG,
      ADAPTERS,
      PAGE,
      PLATFORM,
      ...packages("@opencode-ai/plugin", "@opencode-ai/sdk", "valibot", "@valibot/to-json-schema"),
    ],
    typesOf: [CORE],
    sentence: "plugin stands on compose; it may import compose, config, adapters, page and types of core",
  },
  {
    name: "cli-is-a-front-end",
    from: "^src/cli/",
    may: [
      COMPOSE,
      CONFIG,
      ADAPTERS,
      SIM,
      PAGE,
      PLATFORM,
      ...packages("citty", "log-update", "picocolors", "parse-duration", "jsonc-parser", "@opencode-ai/sdk"),
      ...packages("valibot", "@valibot/to-json-schema"),
    ],
    typesOf: [CORE],
    sentence: "cli stands on compose; it may import compose, config, adapters, sim, page and types of core",
  },
  {
    name: "page-gets-a-handle",
    from: PAGE,
    may: [CONFIG, ADAPTERS, PLATFORM, ...packages("preact", "htm", "valibot")],
    typesOf: [CORE],
    sentence: "page gets a handle; it may import config, adapters and types of core, neither compose, cli nor plugin",
  },
]

/** A row as rules: one for values and, where only types are allowed, one that says so. */
function rulesOf({ name, from, may, typesOf = [], sentence }) {
  const own = [from]
  const paths = may.filter((entry) => entry !== PLATFORM)
  const anywhere = may.includes(PLATFORM) ? { dependencyTypesNot: ["core"] } : {}
  const rules = [
    {
      name,
      severity: "error",
      comment: sentence,
      from: { path: from },
      to: { pathNot: [...own, ...paths, ...typesOf], ...anywhere },
    },
  ]
  if (typesOf.length > 0) {
    rules.push({
      name: `${name}-types-only`,
      severity: "error",
      comment: `${sentence} (as "import type")`,
      from: { path: from },
      to: { path: typesOf, pathNot: [...own, ...paths], dependencyTypesNot: ["type-only"] },
    })
  }
  return rules
}

/** An adapter speaks to one outside thing, which its name begins with: its libraries are closed to all others. */
const oneOutsideThing = [
  { thing: "opencode-", libraries: packages("@opencode-ai/sdk", "@opencode-ai/plugin", "eventsource-parser") },
  { thing: "config-", libraries: packages("jsonc-parser") },
  { thing: "sqlite-", libraries: ["^bun:sqlite$", "^node:sqlite$"] },
].map(({ thing, libraries }) => ({
  name: `one-outside-thing-${thing.slice(0, -1)}`,
  severity: "error",
  comment: "an adapter touches one outside thing; this library belongs to another adapter",
  from: { path: ADAPTERS, pathNot: `${ADAPTERS}${thing}` },
  to: { path: libraries },
}))

/** The loop of one run goes wherever a port leads: neither it nor what it is made of reaches a library or a thread. */
const bareLoop = {
  name: "drive-session-is-bare",
  severity: "error",
  comment: "drive-session knows no thread and no library; everything it needs comes through the port SessionApi",
  from: { path: "^workers/drive-session[.]ts$" },
  to: { path: ["(^|/)node_modules/", "^workers/(link|pool|session-worker)[.]ts$"], reachable: true },
}

const everywhere = [
  {
    name: "no-cycles",
    severity: "error",
    comment: "imports go one way; a cycle means that two files are one or that a third is missing",
    from: {},
    to: { circular: true },
  },
  {
    name: "every-import-resolves",
    severity: "error",
    comment: "an import that does not resolve is not checked by any other rule",
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: "product-knows-no-tests",
    severity: "error",
    comment: "the product may not import its tests or scripts",
    from: { path: "^(src|workers)/" },
    to: { path: "^(test|scripts)/" },
  },
]

/** The parts of the tree; a file outside of them would be bound by nothing. */
export const parts = rows.map((row) => row.from)

export default {
  forbidden: [...rows.flatMap(rulesOf), ...oneOutsideThing, bareLoop, ...everywhere],
  options: {
    doNotFollow: { path: "(^|/)node_modules/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    builtInModules: { add: ["bun", "bun:ffi", "bun:jsc", "bun:sqlite", "bun:test"] },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
    },
  },
}
