import type { Mutant } from "./load.ts"

/** What must not go unnoticed: for every promise at least one way to break it. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "a lane admits one too many",
    change: [["of.held.size >= of.limit) return undefined", "of.held.size > of.limit) return undefined"]],
    breaks: 1,
  },
  {
    name: "a finished task is cancelled all the same",
    change: [
      ["completed: [],", 'completed: ["cancelled"],'],
      [
        "  #cancel(task: Task, end: End, silent: boolean): void {\n    if (isTerminal(task.state)) return void this.#book.ignored++",
        "  #cancel(task: Task, end: End, silent: boolean): void {",
      ],
    ],
    breaks: 2,
  },
  {
    name: "cancelling a waiting task leaves its place in the queue",
    change: [["if (run === undefined) this.#leaveQueue(task, leave)", "if (run === undefined) void 0"]],
    breaks: 21,
  },
  {
    name: "a run is started twice",
    change: [
      [
        "if (!this.#drains.has(id)) this.#start(run)",
        "this.#start(run)\n    run.ref = { ...run.ref, attempt: ++task.attempt }\n    this.#start(run)",
      ],
    ],
    breaks: 3,
    with: "calm",
  },
  {
    name: "what was told is owed for ever",
    change: [['this.#mark(id, epoch, { state: "told", proof })', 'this.#mark(id, epoch, { state: "owed", proof })']],
    breaks: 4,
    with: "calm",
  },
  {
    name: "a failed delivery is not tried again",
    change: [["retryAt !== undefined && !gone", "false"]],
    breaks: 4,
  },
  {
    name: "a delivery that waits is never called back",
    change: [["if (!this.#core.stands(delivery)) under.abort()", "if (this.#ended) under.abort()"]],
    breaks: 4,
  },
  {
    name: "nobody is told",
    change: [["this.#notices.notify(spec.parent?.sessionID)", ""]],
    breaks: 4,
    with: "calm",
  },
  {
    name: "open TODOs do not matter",
    change: [["if (open === 0) return", "if (open >= 0) return"]],
    breaks: 5,
  },
  {
    name: "the last one in the queue is first",
    change: [["const head = nextOf(of)\n", "const head = [...of.waiting.keys()].at(-1) ?? nextOf(of)\n"]],
    breaks: 6,
  },
  {
    name: "a continued task keeps its old place after a restart",
    change: [
      [
        "{ lane, order: ++this.#order, wall: now.wall })\n    outbox",
        "{ lane, order: task.order, wall: now.wall })\n    outbox",
      ],
    ],
    breaks: 6,
    with: "continues",
  },
  {
    name: "words of an older attempt count",
    change: [
      ["return a.attempt === b.attempt && a.epoch === b.epoch && a.task === b.task", "return a.task === b.task"],
    ],
    breaks: 7,
  },
  {
    name: "a report heard twice counts twice",
    change: [["(numbered && input.seq <= run.seq)", "(numbered && input.seq < 0)"]],
    breaks: 7,
  },
  {
    name: "a session told twice counts twice",
    change: [["if (run.openedBy === ref.attempt) return void this.#book.ignored++", ""]],
    breaks: 7,
  },
  {
    name: "the run time has no end",
    change: [["if (now >= ttlAt) return fail", "if (now >= ttlAt + 600_000) return fail"]],
    breaks: 8,
  },
  {
    name: "told before it has ended",
    change: [['notice: { state: "none" },', 'notice: { state: "owed", tail: input.id },']],
    breaks: 9,
  },
  {
    name: "a slot is given back twice",
    change: [
      ["if (!lanes.release(token)) return\n", "lanes.release(token)\n"],
      ["    draining.token = undefined\n", ""],
    ],
    breaks: 10,
  },
  {
    name: "a slot is lost when a run ends at once",
    change: [
      [
        'if (leave === "gone" || !run.started) return this.#on.freed(run.token, run.ref)',
        'if (leave === "gone" || !run.started) return',
      ],
    ],
    breaks: 2,
  },
  {
    name: "what was retained is never forgotten",
    change: [['this.#book.ask({ type: "forget", id })', ""]],
    breaks: 11,
    with: "calm",
  },
  {
    name: "sessions stay in the index",
    change: [["this.bySession.delete(task.sessionID)", "void task.sessionID"]],
    breaks: 11,
    with: "calm",
  },
  {
    name: "something is said for ever",
    change: [
      [
        "    this.#book.drop(task)\n    this.#book.ask({",
        '    this.#book.due.set(deadlineOf(id), this.#book.now.mono + 60_000)\n    this.#book.emit({ type: "server:back", lostMs: 0 })\n    this.#book.ask({',
      ],
    ],
    breaks: 12,
    with: "calm",
  },
  {
    name: "stale after a quarter of the time",
    change: [["if (now < base + bound) return wait", "if (now < base + bound / 4) return wait"]],
    breaks: 13,
  },
  {
    name: "every poll counts as progress",
    change: [["  e.sampledAt = at\n", "  e.sampledAt = at\n  e.progressAt = now\n"]],
    breaks: 14,
    with: "calm",
  },
  {
    name: "time asleep counts",
    change: [
      [
        "return { mono: this.#ports.clock.now(), wall",
        "return { mono: this.#ports.clock.wall() - 1_767_225_600_000, wall",
      ],
    ],
    breaks: 13,
    with: "sleep",
  },
  {
    name: "idle twice in one moment is idle",
    change: [["e.absentPolls >= 2 && apart && now >= idleAt", "e.absentPolls >= 2 && now >= idleAt"]],
    breaks: 15,
  },
  {
    name: "a summary is an answer",
    change: [["if (message.summary) return undefined", ""]],
    breaks: 15,
  },
  {
    name: "an open message is an answer",
    change: [
      ["if (!message.completed || (e.disturbed && !terminal)) {", "if (e.disturbed && !terminal) {"],
      ["if (terminal && e.samePolls >= 2)", "if (e.samePolls >= 2)"],
    ],
    breaks: 16,
  },
  {
    name: "waiting tasks are not taken over",
    change: [
      [
        "rows.filter((row) => !known.has(row.id))",
        'rows.filter((row) => !known.has(row.id) && row.state !== "pending")',
      ],
    ],
    breaks: 2,
    with: "crashes",
  },
  {
    name: "what had ended is not taken over",
    change: [["if (isTerminal(row.state)) this.#keep(row, true)", "if (isTerminal(row.state)) continue"]],
    breaks: 17,
    with: "crashes",
  },
  {
    name: "two prompts share an id",
    change: [["tail: tailOf(`${id}:${epoch}:${n}`)", "tail: tailOf(`${id}:${epoch}`)"]],
    breaks: 18,
  },
  {
    name: "a cancelled run is left to itself",
    change: [['{ type: "stop", abort: leave === "abort" }', '{ type: "stop", abort: false }']],
    breaks: 18,
  },
  {
    name: "what was told is not written down",
    change: [
      [
        "    this.#book.outbox.index(task)\n    this.#book.journal(task)\n    return true",
        "    this.#book.outbox.index(task)\n    return true",
      ],
    ],
    breaks: 19,
    with: "crashes",
  },
  {
    name: "a settled run is heard on",
    change: [
      [
        "    runs.delete(id)\n    if (run === undefined) this.#leaveQueue(task, leave)",
        "    if (run === undefined) this.#leaveQueue(task, leave)",
      ],
    ],
    breaks: 20,
  },
  {
    name: "a freed slot waits for nobody",
    change: [["    this.#grant(token.lane)\n", ""]],
    breaks: 21,
  },
  {
    name: "a raised limit admits nobody",
    change: [
      [
        '      if (before.get(lane) !== limit) this.#book.emit({ type: "lane:limit", lane, limit })\n      this.#grant(lane)\n',
        "",
      ],
    ],
    breaks: 21,
    with: "limits",
  },
  {
    name: "task sessions may delegate",
    change: [['  "task",\n', ""]],
    breaks: 22,
    with: "calm",
  },
  {
    name: "a conversation has no cap",
    change: [["outbox.countUnsettled(parent) >= maxPerRoot", "false"]],
    breaks: 23,
    with: "calm",
  },
  {
    name: "the queue has no cap",
    change: [["if (lanes.waiting >= maxQueued && !lanes.hasRoom(lane)) {", "if (false) {"]],
    breaks: 23,
    with: "calm",
  },
  {
    name: "a lowered limit ends what runs",
    change: [
      [
        "    lanes.setLimits(this.#book.options)\n",
        '    lanes.setLimits(this.#book.options)\n    for (const { task } of this.#book.runs.values()) this.#settle(task, { state: "cancelled", reason: "USER" }, "abort")\n',
      ],
    ],
    breaks: 25,
    with: "limits",
  },
  {
    name: "results have no bound",
    change: [["maxResultChars: options.maxResultChars,", "maxResultChars: 1e9,"]],
    breaks: 26,
  },
  {
    name: "the journal is not told of an end",
    change: [
      [
        "    this.#book.journal(task)\n    const { id, epoch, outcome, spec, lane } = task",
        "    const { id, epoch, outcome, spec, lane } = task",
      ],
    ],
    breaks: 27,
  },
  {
    name: "a continued task gets another session",
    change: [
      [
        "    ...(sessionID === undefined ? {} : { sessionID }),\n    prompts: [newPrompt(id, epoch",
        "    prompts: [newPrompt(id, epoch",
      ],
      ["search: task.attempt > 1 && sessionID === undefined,", "search: false,"],
    ],
    breaks: 30,
    with: "continues",
  },
  {
    name: "a deleted session is not waited for to be its conversation's",
    change: [["e.deletedAt + (rules.parented ? BOUNDS.orphanMs : 0)", "e.deletedAt"]],
    breaks: 31,
  },
  {
    name: "an instance that is loaded again is a server that is gone",
    change: [['error.code === "RELOADING") return "reloading"', 'error.code === "RELOADING") return "unreachable"']],
    breaks: 32,
  },
  {
    name: "whatever was aborted was aborted by a person",
    change: [
      [
        'return e.disturbed\n      ? { type: "interrupted", message: "Its OpenCode instance went away.", cut: true }\n      : { type: "escaped" }',
        'return { type: "escaped" }',
      ],
    ],
    breaks: 33,
  },
]

/** What takes two runs to see. */
export const DIFFERENTIAL: readonly (Omit<Mutant, "with" | "breaks"> & { readonly breaks: 24 | 27 | 28 | 29 })[] = [
  {
    name: "deadlines go by the wall clock",
    change: [
      [
        "return { mono: this.#ports.clock.now(), wall",
        "return { mono: this.#ports.clock.wall() - 1_767_225_600_000, wall",
      ],
    ],
    breaks: 24,
  },
  {
    name: "chance decides how long a slot drains",
    change: [
      [
        "this.#book.due.set(`d:${id}`, mono + BOUNDS.drainMs)",
        "this.#book.due.set(`d:${id}`, mono + BOUNDS.drainMs * Math.random())",
      ],
    ],
    breaks: 27,
  },
  {
    name: "chance decides how long a slot drains, again",
    change: [
      [
        "this.#book.due.set(`d:${id}`, mono + BOUNDS.drainMs)",
        "this.#book.due.set(`d:${id}`, mono + BOUNDS.drainMs * Math.random())",
      ],
    ],
    breaks: 28,
  },
  {
    name: "many slots count as one",
    change: [
      [
        "of.waiting.size === 0 && of.held.size < of.limit) return grant",
        "of.waiting.size === 0 && of.held.size < (of.limit > 3 ? 1 : of.limit)) return grant",
      ],
      ["of.held.size >= of.limit) return undefined", "of.held.size >= (of.limit > 3 ? 1 : of.limit)) return undefined"],
    ],
    breaks: 29,
  },
]
