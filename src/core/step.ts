import { DueQueue } from "./due-queue.ts"
import type { Assignment, Effect, RunCommand } from "./effects.ts"
import { LanesError } from "./errors.ts"
import type { BareEvent } from "./events.ts"
import type { Input, Now, RunReport, ThreadReport } from "./inputs.ts"
import type { LaneView, SlotToken } from "./lanes.ts"
import { LaneAllocator, laneOf } from "./lanes.ts"
import type { Options } from "./options.ts"
import { BOUNDS } from "./options.ts"
import type { End, Task } from "./outcome.ts"
import { newPrompt, newTask, nextEpoch, noticeOf, outcomeOf } from "./outcome.ts"
import { Outbox } from "./outbox.ts"
import type { Hint, Snapshot } from "./snapshot.ts"
import type { Evidence, Rules, Verdict } from "./stability.ts"
import { judge, newEvidence, observe, observeFailure, observeHint, observePrompt, observeRestart } from "./stability.ts"
import type { Prompt, RunRef, TaskId, TaskRow } from "./task.ts"
import { isTerminal, transition } from "./task.ts"

/** A run that holds its slot and works. */
interface Run {
  ref: RunRef
  readonly token: SlotToken
  readonly evidence: Evidence
  /** Handed to a worker; false while its predecessor is still in the session. */
  started: boolean
  /** An earlier attempt of this epoch may have prompted already. */
  again: boolean
  /** Last report taken in; older ones are duplicates or late. */
  seq: number
  emittedAt: number
  journaledAt: number
  /** When each ask was answered, or left to the human. */
  readonly asksSeen: Map<string, number>
}

/** A run that has ended but may still be in its session; it keeps the slot until seen idle, at most `drainMs`. */
interface Draining {
  readonly ref: RunRef
  token: SlotToken | undefined
  readonly sessionID: string | undefined
  readonly directory: string
  /** How long a successor waits for it. */
  readonly until: number
  /** Nobody is left who could report that it has left. */
  readonly lost: boolean
}

/** What ends with a run: the session is idle already, must be aborted by the worker, or from here as no worker is left. */
type Leave = "idle" | "abort" | "gone" | "lost"

/**
 * Decides everything; touches nothing. `step` takes what happened and when, and returns what is to be done; it is the
 * only writer of task state. A command that cannot be taken throws a LanesError and changes nothing; everything else
 * that does not fit (late, duplicate, of an older attempt) is counted in `ignored` and changes nothing.
 */
export class Core {
  /** Inputs that came too late to matter. */
  ignored = 0
  #options: Options
  readonly #lanes: LaneAllocator
  readonly #tasks = new Map<TaskId, Task>()
  readonly #runs = new Map<TaskId, Run>()
  readonly #draining = new Map<TaskId, Draining>()
  readonly #bySession = new Map<string, TaskId>()
  readonly #due = new DueQueue()
  readonly #outbox = new Outbox()
  readonly #eventsAlive = new Set<string>()
  #serverLostAt: number | undefined
  #order = 0
  #closing: "no" | "drain" | "closed" = "no"
  /** Taking over from a dead coordinator: parents are told at the end, without a turn. */
  #recovering = false
  #now: Now = { mono: 0, wall: 0 }
  #effects: Effect[] = []

  constructor(options: Options) {
    this.#options = options
    this.#lanes = new LaneAllocator(options)
  }

  /** Takes in one thing that happened, and every deadline that has come. */
  step(input: Input, now: Now): Effect[] {
    this.#now = now
    this.#effects = []
    if (this.#closing === "closed") return this.#effects
    this.#take(input)
    this.#expire()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  // ── What can be asked of it ──

  get options(): Options {
    return this.#options
  }

  /** When `step` wants to be called next, at the latest; monotonic ms. */
  nextDue(): number | undefined {
    return this.#due.next()
  }

  /** A copy of a task's row, its times up to now. */
  get(id: TaskId, mono: number = this.#now.mono): TaskRow | undefined {
    const task = this.#tasks.get(id)
    return task === undefined ? undefined : this.#row(task, mono)
  }

  *list(): Generator<TaskRow> {
    for (const task of this.#tasks.values()) yield this.#row(task, this.#now.mono)
  }

  findBySession(sessionID: string): TaskId | undefined {
    return this.#bySession.get(sessionID)
  }

  lanes(): LaneView[] {
    return this.#lanes.views()
  }

  lane(id: TaskId): (LaneView & { ahead: number }) | undefined {
    const task = this.#tasks.get(id)
    return task === undefined ? undefined : { ...this.#lanes.view(task.lane), ahead: this.#lanes.ahead(task.lane, id) }
  }

  owed(parent: string): TaskRow[] {
    return this.#outbox.owed(parent)
  }

  /** Sizes of everything that must be empty at rest. */
  sizes(): Readonly<Record<string, number>> {
    const live = [...this.#tasks.values()].filter((task) => !isTerminal(task.state)).length
    return {
      tasks: this.#tasks.size,
      live,
      runs: this.#runs.size,
      draining: this.#draining.size,
      sessions: this.#bySession.size,
      due: this.#due.size,
      outbox: this.#outbox.size,
      waiting: this.#lanes.waiting,
      slots: this.#lanes.views().reduce((sum, lane) => sum + lane.used, 0),
    }
  }

  // ── What can happen ──

  #take(input: Input): void {
    switch (input.type) {
      case "launch":
        return this.#launch(input)
      case "continue":
        return this.#continue(input)
      case "cancel":
        return this.#cancel(this.#known(input.id), { state: "cancelled", reason: input.reason }, input.silent === true)
      case "refuse":
        return this.#refuse(input.id, input.before)
      case "session":
      case "prompted":
      case "snapshot":
      case "poll-failed":
      case "failed":
        return this.#report(input)
      case "stopped":
        return this.#stopped(input.run)
      case "worker-started":
        return this.#emit({ type: "worker:started", worker: input.worker })
      case "worker-lost":
        return this.#workerLost(input)
      case "hint":
        return this.#hint(input.sessionID, input.hint)
      case "events":
        return this.#events(input.directory, input.alive)
      case "server-restarted":
        return this.#disturb(undefined, false)
      case "instance":
        return input.state === "disposed" ? this.#disturb(input.directory, true) : this.#pokeAll(input.directory)
      case "limits":
        return this.#limits(input.limits)
      case "read":
        return void this.#tell(input.id, undefined, { state: "none" })
      case "told":
        return this.#told(input.id, input.epoch, input.proof)
      case "delivery-failed":
        return this.#deliveryFailed(input.parent, input.gone === true)
      case "parent-deleted":
        return this.#parentDeleted(input.sessionID)
      case "parent-aborted":
        return this.#parentAborted(input.sessionID)
      case "recover":
        return this.#recover(input.rows, input.sessions)
      case "close":
        return this.#close(input.mode)
      case "tick":
        return
    }
  }

  #launch(input: Extract<Input, { type: "launch" }>): void {
    const { spec } = input
    const lane = laneOf(spec.model, this.#options)
    this.#admit(spec.parent?.sessionID, lane)
    if (this.#tasks.has(input.id)) throw new LanesError("INVALID_INPUT", `There is a task ${input.id} already.`)
    this.#claim(spec.sessionID, input.id)
    const task = newTask({ id: input.id, spec, lane, order: ++this.#order, wall: this.#now.wall })
    this.#tasks.set(task.id, task)
    if (task.sessionID !== undefined) this.#bySession.set(task.sessionID, task.id)
    this.#queue(task)
  }

  #continue(input: Extract<Input, { type: "continue" }>): void {
    const task = this.#known(input.id)
    if (!isTerminal(task.state)) {
      if (this.#closing !== "no") throw closing()
      return this.#prompt(task, "follow-up", input.prompt)
    }
    const parent = task.spec.parent
    const spec = {
      ...task.spec,
      prompt: input.prompt,
      background: input.background ?? task.spec.background,
      ...(input.ttlMs === undefined ? {} : { ttlMs: input.ttlMs }),
      ...(input.model === undefined ? {} : { model: input.model }),
      ...(parent === undefined || input.batch === undefined ? {} : { parent: { ...parent, batch: input.batch } }),
    }
    const lane = laneOf(spec.model, this.#options)
    this.#admit(parent?.sessionID, lane)
    this.#claim(task.sessionID, task.id)
    const next = nextEpoch(task, input.prompt, spec, { lane, order: ++this.#order, wall: this.#now.wall })
    this.#outbox.drop(task)
    this.#tasks.set(task.id, next)
    if (next.sessionID !== undefined) this.#bySession.set(next.sessionID, next.id)
    this.#emit({ type: "task:continued", id: next.id, epoch: next.epoch, prompt: input.prompt })
    this.#queue(next)
  }

  /** Caps, before anything is stored. */
  #admit(parent: string | undefined, lane: string): void {
    if (this.#closing !== "no") throw closing()
    const { maxQueued, maxPerRoot } = this.#options
    if (this.#lanes.waiting >= maxQueued && !this.#lanes.hasRoom(lane)) {
      throw new LanesError("QUEUE_FULL", `${maxQueued} tasks are waiting already.`, "Wait for some to finish, or raise maxQueued.")
    }
    if (parent !== undefined && this.#outbox.countUnsettled(parent) >= maxPerRoot) {
      throw new LanesError("PARENT_LIMIT", `This conversation has ${maxPerRoot} unfinished tasks.`, "Wait for some to finish, cancel some, or raise maxPerRoot.")
    }
  }

  /** Two runs never share a session. */
  #claim(sessionID: string | undefined, id: TaskId): void {
    const owner = sessionID === undefined ? undefined : this.#tasks.get(this.#bySession.get(sessionID) ?? "")
    if (owner === undefined || owner.id === id || isTerminal(owner.state)) return
    throw new LanesError("INVALID_INPUT", `Task ${owner.id} works in the session ${sessionID} now.`, "Continue that task instead.")
  }

  /** pending: stored, told, and given a slot if there is one. */
  #queue(task: Task): void {
    this.#outbox.index(task)
    this.#journal(task)
    const token = this.#closing === "no" ? this.#lanes.request(task.lane, task.id) : undefined
    this.#emit({
      type: "task:queued",
      id: task.id,
      epoch: task.epoch,
      lane: task.lane,
      ahead: token === undefined ? this.#lanes.queued(task.lane) - 1 : 0,
      description: task.spec.description,
      ...(task.spec.agent === undefined ? {} : { agent: task.spec.agent }),
      ...(task.spec.model === undefined ? {} : { model: task.spec.model }),
      ...(task.spec.parent === undefined ? {} : { parent: task.spec.parent.sessionID }),
    })
    if (token !== undefined) return this.#granted(task, token)
    if (this.#options.queueTtlMs > 0) this.#due.set(`t:${task.id}`, this.#now.mono + this.#options.queueTtlMs)
    else this.#due.clear(`t:${task.id}`)
  }

  /** running: the slot is here; the clock of the run starts. */
  #granted(task: Task, token: SlotToken): void {
    task.state = transition(task.state, "running") ?? task.state
    task.queuedMs += Math.max(0, this.#now.wall - task.queuedAt)
    const again = task.startedAt !== undefined
    task.startedAt = this.#now.wall
    task.attempt++
    const { mono } = this.#now
    const run: Run = {
      ref: { task: task.id, epoch: task.epoch, attempt: task.attempt },
      token,
      evidence: newEvidence(mono, task.ranMs, this.#eventsAlive.has(task.spec.directory)),
      started: false,
      again,
      seq: 0,
      emittedAt: Number.NEGATIVE_INFINITY,
      journaledAt: mono,
      asksSeen: new Map(),
    }
    for (const prompt of task.prompts) if (prompt.messageID !== undefined) observePrompt(run.evidence, prompt.messageID, mono)
    // Prompted by an earlier process: what became of the server since then nobody saw.
    run.evidence.disturbed = run.evidence.accepted > 0
    run.evidence.steps = task.steps
    this.#runs.set(task.id, run)
    this.#journal(task)
    const view = this.#lanes.view(task.lane)
    const { id, epoch, lane, queuedMs } = task
    this.#emit({ type: "lane:granted", id, epoch, lane, used: view.used, limit: view.limit, queued: view.queued })
    this.#emit({ type: "task:started", id, epoch, lane, attempt: task.attempt, queuedMs })
    if (!this.#draining.has(task.id)) this.#start(task, run)
    this.#judge(task, run)
  }

  #start(task: Task, run: Run): void {
    run.started = true
    const accepted = task.prompts.filter((prompt) => prompt.messageID !== undefined).length
    const assignment: Assignment = {
      run: run.ref,
      directory: task.spec.directory,
      title: task.spec.description,
      ...(task.spec.parent === undefined ? {} : { parentSessionID: task.spec.parent.sessionID }),
      ...(task.spec.agent === undefined ? {} : { agent: task.spec.agent }),
      ...(task.spec.model === undefined ? {} : { model: task.spec.model }),
      ...(task.sessionID === undefined ? {} : { sessionID: task.sessionID }),
      search: task.attempt > 1 && task.sessionID === undefined,
      stamp: task.spec.sessionID !== undefined && task.epoch === 1 && accepted === 0,
      prompts: task.prompts.filter((prompt) => prompt.messageID === undefined),
      check: run.again,
      accepted,
      alone: task.crashes >= BOUNDS.crashes || this.#options.isolation === "task",
      pollIntervalMs: this.#options.pollIntervalMs,
      maxResultChars: this.#options.maxResultChars,
    }
    this.#effects.push({ type: "start-run", assignment })
  }

  // ── What workers report ──

  #report(input: Exclude<RunReport, { type: "stopped" }>): void {
    const task = this.#tasks.get(input.run.task)
    const run = this.#runs.get(input.run.task)
    if (task === undefined || run === undefined || !same(run.ref, input.run)) {
      this.ignored++
      return
    }
    switch (input.type) {
      case "session":
        this.#serverAnswers()
        if (input.todos !== undefined && run.evidence.accepted === 0) task.todosBefore = input.todos
        return this.#session(task, input.sessionID)
      case "prompted":
        return this.#prompted(task, run, input.n, input.messageID)
      case "snapshot":
        if (input.seq <= run.seq) return void this.ignored++
        run.seq = input.seq
        this.#serverAnswers()
        return this.#snapshot(task, run, input.snapshot)
      case "poll-failed":
        if (input.seq <= run.seq) return void this.ignored++
        run.seq = input.seq
        if (input.failure === "unreachable") this.#serverSilent(input.message)
        observeFailure(run.evidence, input.failure === "unreachable", this.#now.mono)
        return this.#judge(task, run)
      case "failed":
        return this.#settle(task, { state: "error", reason: input.reason, message: input.message }, "gone")
    }
  }

  #session(task: Task, sessionID: string): void {
    const known = task.sessionID === sessionID
    task.sessionID = sessionID
    this.#bySession.set(sessionID, task.id)
    if (!known) this.#journal(task)
    this.#emit({ type: "task:session", id: task.id, epoch: task.epoch, sessionID })
  }

  #prompted(task: Task, run: Run, n: number, messageID: string): void {
    const prompt = task.prompts[n]
    if (prompt === undefined || prompt.messageID !== undefined) return void this.ignored++
    this.#serverAnswers()
    task.prompts = task.prompts.with(n, { ...prompt, messageID })
    observePrompt(run.evidence, messageID, this.#now.mono)
    this.#journal(task)
    this.#judge(task, run)
  }

  #snapshot(task: Task, run: Run, snapshot: Snapshot): void {
    const moved = observe(run.evidence, snapshot, this.#now.mono)
    if (snapshot.tokens !== undefined) task.tokens = snapshot.tokens
    if (snapshot.cost !== undefined) task.cost = snapshot.cost
    const newest = snapshot.newest
    if (newest?.role === "assistant" && newest.text) task.lastText = newest.text
    this.#emit({ type: "task:snapshot", id: task.id, epoch: task.epoch, snapshot })
    if (moved) this.#progress(task, run)
    this.#checkpoint(task, run)
    this.#asks(task, run)
    this.#askAgain(run, snapshot)
    this.#judge(task, run)
  }

  #hint(sessionID: string, hint: Hint): void {
    const id = this.#bySession.get(sessionID)
    const task = id === undefined ? undefined : this.#tasks.get(id)
    const run = id === undefined ? undefined : this.#runs.get(id)
    // Until it is handed to a worker, what happens in the session is its predecessor's.
    if (task === undefined || run === undefined || (!run.started && hint.type !== "deleted")) return void this.ignored++
    const moved = observeHint(run.evidence, hint, this.#now.mono)
    if (moved) this.#progress(task, run)
    switch (hint.type) {
      case "idle":
      case "step-end":
      case "error":
        return this.#command(run, { type: "poke" })
      case "ask":
      case "answered":
        return this.#asks(task, run)
      case "deleted":
      case "step":
        return this.#judge(task, run)
      case "delta":
      case "part":
      case "todos":
        // The deadline set before is early now; when it comes the evidence is judged again.
        return
    }
  }

  /** The agent moved: counters into the row, a word on the bus at most once a second. */
  #progress(task: Task, run: Run): void {
    const { mono } = this.#now
    task.steps = run.evidence.steps
    if (run.evidence.tool !== undefined) task.lastTool = run.evidence.tool
    if (mono - run.emittedAt < 1_000) return
    run.emittedAt = mono
    const { id, epoch, steps, cost, tokens } = task
    const tool = run.evidence.tool === undefined ? {} : { tool: run.evidence.tool }
    this.#emit({ type: "task:progress", id, epoch, steps, ...tool, tokens: tokens.input + tokens.output + tokens.reasoning, cost })
  }

  /** Run time and counters into the journal, also of a run that is silent: a restart goes on from there. */
  #checkpoint(task: Task, run: Run): void {
    if (this.#now.mono - run.journaledAt < BOUNDS.journalProgressMs) return
    run.journaledAt = this.#now.mono
    this.#journal(task)
  }

  /** Permission asks not seen before: answered at once, or left to the human. */
  #asks(task: Task, run: Run): void {
    const reject = this.#options.permissions === "reject"
    for (const ask of run.evidence.asks.values()) {
      if (run.asksSeen.has(ask.id)) continue
      run.asksSeen.set(ask.id, this.#now.mono)
      const { id, epoch } = task
      const action = reject ? "rejected" : "forwarded"
      this.#emit({ type: "task:permission", id, epoch, askID: ask.id, permission: ask.permission, patterns: ask.patterns, action })
      if (!reject) continue
      run.evidence.rejected = true
      this.#command(run, { type: "reply", askID: ask.id, message: refusal(ask.permission) })
    }
  }

  /** An answer may have been lost with its worker or on its way; an ask that stays open is answered again. */
  #askAgain(run: Run, { asks = [] }: Snapshot): void {
    if (this.#options.permissions !== "reject") return
    for (const ask of asks) {
      const answeredAt = run.asksSeen.get(ask.id)
      if (answeredAt === undefined || this.#now.mono - answeredAt < BOUNDS.askAgainMs) continue
      run.asksSeen.set(ask.id, this.#now.mono)
      this.#command(run, { type: "reply", askID: ask.id, message: refusal(ask.permission) })
    }
  }

  // ── What is concluded ──

  #judge(task: Task, run: Run): void {
    const verdict = judge(run.evidence, this.#rules(task), this.#now.mono)
    if (verdict.type === "wait") {
      if (verdict.ms === Number.POSITIVE_INFINITY) this.#due.clear(`t:${task.id}`)
      else this.#due.set(`t:${task.id}`, this.#now.mono + verdict.ms)
      return
    }
    this.#conclude(task, run, verdict)
  }

  #conclude(task: Task, run: Run, verdict: Exclude<Verdict, { type: "wait" }>): void {
    switch (verdict.type) {
      case "complete":
        return this.#settle(task, { state: "completed", reason: verdict.reason, truncated: verdict.truncated }, "idle")
      case "escaped":
        return this.#settle(task, { state: "cancelled", reason: "USER", message: "Somebody stopped it in its session." }, "idle")
      case "fail": {
        const idle = run.evidence.status.type === "absent" && run.evidence.sampledAt !== undefined && SEEN_IDLE.has(verdict.reason)
        return this.#settle(task, { state: "error", reason: verdict.reason, message: verdict.message }, idle ? "idle" : "abort")
      }
      case "nudge":
        task.nudges++
        this.#prompt(task, "nudge", `You stopped with ${verdict.open} of your TODOs open. Go on until each is done, or cancel it with a reason, then give your final answer.`)
        return this.#judge(task, run)
      case "interrupted": {
        const again = this.#options.recover === "resume" && task.resumes < (verdict.cut ? BOUNDS.resumes : 1)
        if (!again) {
          const reason = verdict.cut ? "INTERRUPTED" : "SESSION_ERROR"
          return this.#settle(task, { state: "error", reason, message: verdict.message }, verdict.cut ? "abort" : "idle")
        }
        task.resumes++
        this.#prompt(task, "resume", RESUME)
        return this.#judge(task, run)
      }
    }
  }

  #rules(task: Task): Rules {
    const { ttlMs } = task.spec
    let unsent = 0
    for (const prompt of task.prompts) if (prompt.messageID === undefined) unsent++
    return {
      options: this.#options,
      ttlMs: ttlMs === undefined ? this.#options.taskTtlMs : ttlMs,
      unsent,
      nudges: task.nudges,
      todosBefore: task.todosBefore,
    }
  }

  /** One more prompt of ours, stored before it is sent. */
  #prompt(task: Task, kind: Exclude<Prompt["kind"], "first">, text: string): void {
    const prompt = newPrompt(task.id, task.epoch, task.prompts.length, kind, text)
    task.prompts = [...task.prompts, prompt]
    this.#journal(task)
    this.#emit({ type: "task:nudged", id: task.id, epoch: task.epoch, kind, n: prompt.n })
    const run = this.#runs.get(task.id)
    if (run?.started === true) this.#command(run, { type: "prompt", prompt })
  }

  /**
   * The only ending. The first reason wins; the row, the notice and the word on the bus are settled in this step, and
   * stopping the session never delays them. The slot comes back now if the session is idle, else when it is seen so.
   */
  #settle(task: Task, end: End, leave: Leave, silent = false): void {
    const was = task.state
    const state = transition(was, end.state)
    if (state === undefined) return void this.ignored++
    const run = this.#runs.get(task.id)
    const { mono, wall } = this.#now
    task.state = state
    task.settledAt = wall
    if (run === undefined) task.queuedMs += Math.max(0, wall - task.queuedAt)
    else task.ranMs = Math.max(0, mono - run.evidence.startedAt)
    task.outcome = outcomeOf(task, end, run?.evidence.newest)
    task.notice = noticeOf(task, silent)
    this.#outbox.index(task, this.#recovering)
    this.#due.set(`t:${task.id}`, mono + this.#options.retainMs)
    this.#journal(task)
    this.#emit({
      type: "task:settled",
      id: task.id,
      epoch: task.epoch,
      outcome: task.outcome,
      description: task.spec.description,
      lane: task.lane,
    })
    if (run === undefined) this.#lanes.withdraw(task.lane, task.id)
    else this.#leave(task, run, leave)
    this.#notify(task.spec.parent?.sessionID)
  }

  /** Takes a settled run out of its session and, sooner or later, its slot back. */
  #leave(task: Task, run: Run, leave: Leave): void {
    this.#runs.delete(task.id)
    const gone = leave === "gone" || !run.started
    if (!gone) {
      const { sessionID, spec } = task
      this.#draining.set(task.id, {
        ref: run.ref,
        token: leave === "idle" ? undefined : run.token,
        sessionID,
        directory: spec.directory,
        until: this.#now.mono + BOUNDS.predecessorMs,
        lost: leave === "lost",
      })
      this.#due.set(`d:${task.id}`, this.#now.mono + BOUNDS.drainMs)
      if (leave !== "lost") this.#command(run, { type: "stop", abort: leave === "abort" })
      else if (sessionID !== undefined) this.#effects.push({ type: "abort", sessionID, directory: spec.directory })
    }
    if (gone || leave === "idle") this.#release(run.token, run.ref)
  }

  #release(token: SlotToken, { task: id, epoch }: RunRef): void {
    if (!this.#lanes.release(token)) return
    const { used, limit, queued } = this.#lanes.view(token.lane)
    this.#emit({ type: "lane:released", id, epoch, lane: token.lane, used, limit, queued })
    this.#grant(token.lane)
  }

  /** A free slot and a waiter never coexist after a step. */
  #grant(lane: string): void {
    if (this.#closing !== "no") return
    for (let token = this.#lanes.grantNext(lane); token !== undefined; token = this.#lanes.grantNext(lane)) {
      const task = this.#tasks.get(token.task)
      if (task !== undefined) this.#granted(task, token)
    }
  }

  #cancel(task: Task, end: End, silent: boolean): void {
    if (isTerminal(task.state)) return void this.ignored++
    this.#settle(task, end, "abort", silent)
  }

  /** A stopped run has left its session. */
  #stopped(ref: RunRef): void {
    const draining = this.#draining.get(ref.task)
    if (draining === undefined || !same(draining.ref, ref)) return void this.ignored++
    this.#drained(ref.task, draining)
  }

  #drained(id: TaskId, draining: Draining): void {
    this.#draining.delete(id)
    this.#due.clear(`d:${id}`)
    if (draining.token !== undefined) this.#release(draining.token, draining.ref)
    const task = this.#tasks.get(id)
    const next = this.#runs.get(id)
    if (task !== undefined && next !== undefined && !next.started) this.#start(task, next)
  }

  /** Its worker has not stopped it in time: the slot comes back, the session is aborted from here, once. */
  #drainDue(id: TaskId): void {
    const draining = this.#draining.get(id)
    if (draining === undefined) return
    // Its session was aborted from here when the worker was lost; whether it is idle, a successor sees for itself.
    if (draining.lost) return this.#drained(id, draining)
    if (this.#now.mono < draining.until) {
      const token = draining.token
      this.#draining.set(id, { ...draining, token: undefined })
      this.#due.set(`d:${id}`, draining.until)
      const { sessionID, directory } = draining
      if (sessionID !== undefined) this.#effects.push({ type: "abort", sessionID, directory })
      if (token !== undefined) this.#release(token, draining.ref)
      return
    }
    this.#draining.delete(id)
    const task = this.#tasks.get(id)
    const next = this.#runs.get(id)
    if (task !== undefined && next !== undefined && !next.started) {
      this.#settle(task, { state: "error", reason: "SESSION_ERROR", message: "Its previous run did not leave the session." }, "gone")
    }
  }

  // ── Threads and servers ──

  #workerLost(input: Extract<ThreadReport, { type: "worker-lost" }>): void {
    this.#emit({ type: "worker:lost", worker: input.worker, cause: input.cause, tasks: input.runs.map((run) => run.task) })
    for (const ref of input.runs) {
      const task = this.#tasks.get(ref.task)
      const run = this.#runs.get(ref.task)
      const draining = this.#draining.get(ref.task)
      if (draining !== undefined && same(draining.ref, ref)) {
        const { sessionID, directory } = draining
        if (sessionID !== undefined) this.#effects.push({ type: "abort", sessionID, directory })
        this.#draining.set(ref.task, { ...draining, lost: true })
        this.#due.set(`d:${ref.task}`, Math.min(draining.until, this.#now.mono + BOUNDS.drainMs))
        continue
      }
      if (task === undefined || run === undefined || !same(run.ref, ref)) {
        this.ignored++
        // It had ended and was still about to leave its session: that is done from here, unless somebody else is in it.
        if (task?.sessionID !== undefined && isTerminal(task.state)) {
          this.#effects.push({ type: "abort", sessionID: task.sessionID, directory: task.spec.directory })
        }
        continue
      }
      task.crashes++
      if (task.crashes > BOUNDS.crashes) {
        this.#settle(task, { state: "error", reason: "WORKER_LOST", message: `Its worker was lost ${task.crashes} times: ${input.cause}.` }, "lost")
        continue
      }
      task.attempt++
      run.ref = { ...ref, attempt: task.attempt }
      run.seq = 0
      run.again = true
      observeRestart(run.evidence, this.#now.mono)
      this.#journal(task)
      const { id, epoch, lane, queuedMs, attempt } = task
      this.#emit({ type: "task:started", id, epoch, lane, attempt, queuedMs })
      this.#start(task, run)
      this.#judge(task, run)
    }
  }

  #events(directory: string, alive: boolean): void {
    if (alive) this.#eventsAlive.add(directory)
    else this.#eventsAlive.delete(directory)
    for (const [id, run] of this.#runs) {
      const task = this.#tasks.get(id)
      if (task?.spec.directory !== directory) continue
      run.evidence.eventsAlive = alive
      // Events of the gap are lost: look now.
      if (alive) this.#command(run, { type: "poke" })
      this.#judge(task, run)
    }
  }

  /** Whatever ran there was cut off, unless it is seen busy again. */
  #disturb(directory: string | undefined, disposed: boolean): void {
    for (const [id, run] of this.#runs) {
      if (directory !== undefined && this.#tasks.get(id)?.spec.directory !== directory) continue
      run.evidence.disturbed = true
      if (disposed) run.evidence.disposedAt = this.#now.mono
      this.#command(run, { type: "poke" })
    }
  }

  #pokeAll(directory: string): void {
    for (const [id, run] of this.#runs) {
      if (this.#tasks.get(id)?.spec.directory === directory) this.#command(run, { type: "poke" })
    }
  }

  #serverSilent(message: string): void {
    if (this.#serverLostAt !== undefined) return
    this.#serverLostAt = this.#now.mono
    this.#emit({ type: "server:lost", message })
  }

  #serverAnswers(): void {
    if (this.#serverLostAt === undefined) return
    this.#emit({ type: "server:back", lostMs: this.#now.mono - this.#serverLostAt })
    this.#serverLostAt = undefined
  }

  #limits(limits: Partial<Options>): void {
    const before = new Map(this.#lanes.views().map((view) => [view.lane, view.limit]))
    this.#options = { ...this.#options, ...limits }
    this.#lanes.setLimits(this.#options)
    for (const { lane, limit } of this.#lanes.views()) {
      if (before.get(lane) !== limit) this.#emit({ type: "lane:limit", lane, limit })
      this.#grant(lane)
    }
  }

  // ── Parents ──

  #notify(parent: string | undefined): void {
    if (parent === undefined || this.#recovering) return
    const delivery = this.#outbox.next(parent, this.#options.wake, this.#now.mono)
    if (delivery !== undefined) this.#effects.push({ type: "deliver", delivery })
  }

  #tell(id: TaskId, epoch: number | undefined, notice: Pick<TaskRow["notice"], "state" | "proof">): boolean {
    const task = this.#tasks.get(id)
    if (task === undefined || task.notice.state !== "owed" || (epoch !== undefined && task.epoch !== epoch)) {
      this.ignored++
      return false
    }
    task.notice = { ...task.notice, ...notice }
    this.#outbox.index(task)
    this.#journal(task)
    return true
  }

  #told(id: TaskId, epoch: number, proof: string): void {
    const parent = this.#outbox.delivered(id) ?? this.#tasks.get(id)?.spec.parent?.sessionID
    if (this.#tell(id, epoch, { state: "told", proof }) && parent !== undefined) {
      this.#emit({ type: "task:notified", id, epoch, parent, proof })
    }
    this.#notify(parent)
  }

  #deliveryFailed(parent: string, gone: boolean): void {
    const retryAt = this.#outbox.failed(parent, this.#now.mono)
    if (retryAt !== undefined && !gone) return this.#due.set(`p:${parent}`, retryAt)
    for (const { id, epoch } of this.#outbox.owed(parent)) {
      this.#tell(id, epoch, { state: "dead" })
      this.#emit({ type: "task:notified", id, epoch, parent, dead: true })
    }
  }

  #parentDeleted(parent: string): void {
    for (const { id } of this.#outbox.unsettled(parent)) this.#cancel(this.#known(id), { state: "cancelled", reason: "PARENT" }, true)
    for (const { id, epoch } of this.#outbox.owed(parent)) this.#tell(id, epoch, { state: "none" })
  }

  #parentAborted(parent: string): void {
    for (const { id, spec } of this.#outbox.unsettled(parent)) {
      if (!spec.background) this.#cancel(this.#known(id), { state: "cancelled", reason: "PARENT" }, true)
    }
  }

  // ── Beginning and end of a process ──

  /** Takes over what an earlier coordinator left, in its order: what ran first, then what waited. */
  #recover(rows: readonly TaskRow[], sessions: "alive" | "dead"): void {
    const fresh = rows.filter((row) => !this.#tasks.has(row.id)).sort((a, b) => a.order - b.order)
    const ran = fresh.filter((row) => row.state === "running")
    this.#recovering = true
    for (const row of [...fresh.filter((r) => isTerminal(r.state)), ...ran, ...fresh.filter((r) => r.state === "pending")]) {
      const task: Task = { ...row, prompts: [...row.prompts] }
      this.#order = Math.max(this.#order, row.order)
      this.#tasks.set(task.id, task)
      if (task.sessionID !== undefined) this.#bySession.set(task.sessionID, task.id)
      if (isTerminal(row.state)) this.#recoverSettled(task)
      else this.#recoverLive(task, sessions)
    }
    this.#recovering = false
    for (const parent of new Set(fresh.map((row) => row.spec.parent?.sessionID))) this.#notify(parent)
  }

  #recoverSettled(task: Task): void {
    this.#outbox.index(task, true)
    const age = Math.max(0, this.#now.wall - (task.settledAt ?? this.#now.wall))
    this.#due.set(`t:${task.id}`, this.#now.mono + Math.max(0, this.#options.retainMs - age))
  }

  #recoverLive(task: Task, sessions: "alive" | "dead"): void {
    const wasRunning = task.state === "running"
    task.state = "pending"
    task.spec = { ...task.spec, background: true }
    // The limits may have changed since: it waits where new tasks of its model do.
    task.lane = laneOf(task.spec.model, this.#options)
    // What it waited before is counted already.
    if (wasRunning) task.queuedAt = this.#now.wall
    const reattach = wasRunning && sessions === "alive"
    const prompted = task.prompts.some((prompt) => prompt.messageID !== undefined)
    const spent = prompted && task.resumes >= BOUNDS.resumes
    if (!reattach && (this.#options.recover === "ask" || (wasRunning && spent))) {
      this.#outbox.index(task)
      return this.#settle(task, { state: "error", reason: "INTERRUPTED", message: "Its host ended before it was done." }, "gone")
    }
    if (wasRunning && !reattach && prompted) {
      task.resumes++
      task.prompts = [...task.prompts, newPrompt(task.id, task.epoch, task.prompts.length, "resume", RESUME)]
    }
    this.#queue(task)
  }

  /** `drain`: nothing new starts. `detach`: leaves everything as it is. `abort`: ends it all. */
  #close(mode: "drain" | "detach" | "abort"): void {
    if (this.#closing === "no") this.#closing = "drain"
    if (mode === "drain") return
    if (mode === "abort") {
      for (const task of this.#tasks.values()) {
        if (!isTerminal(task.state)) this.#settle(task, { state: "cancelled", reason: "SHUTDOWN" }, "abort")
      }
      return
    }
    for (const [id, run] of this.#runs) {
      const task = this.#tasks.get(id)
      if (task !== undefined) this.#journal(task)
      this.#command(run, { type: "stop", abort: false })
    }
    this.#closing = "closed"
  }

  /** Undo of a launch or continue that the journal did not take: its other effects were never carried out. */
  #refuse(id: TaskId, before: TaskRow | undefined): void {
    const task = this.#tasks.get(id)
    if (task === undefined) return
    this.#outbox.drop(task)
    const run = this.#runs.get(id)
    if (before !== undefined && !isTerminal(before.state)) {
      this.#tasks.set(id, { ...before, prompts: [...before.prompts] })
    } else {
      if (run === undefined) this.#lanes.withdraw(task.lane, id)
      else this.#lanes.release(run.token)
      this.#runs.delete(id)
      this.#due.clear(`t:${id}`)
      if (before === undefined) return this.#drop(task)
      this.#tasks.set(id, { ...before, prompts: [...before.prompts] })
      this.#due.set(`t:${id}`, this.#now.mono + this.#options.retainMs)
    }
    this.#outbox.index(this.#known(id))
  }

  // ── Deadlines ──

  #expire(): void {
    for (let key = this.#due.take(this.#now.mono); key !== undefined; key = this.#due.take(this.#now.mono)) {
      const id = key.slice(2)
      if (key.startsWith("d:")) this.#drainDue(id)
      else if (key.startsWith("p:")) this.#notify(id)
      else this.#taskDue(id)
    }
  }

  #taskDue(id: TaskId): void {
    const task = this.#tasks.get(id)
    if (task === undefined) return
    const run = this.#runs.get(id)
    if (run !== undefined) return this.#judge(task, run)
    if (!isTerminal(task.state)) {
      return this.#settle(task, { state: "error", reason: "QUEUE_TTL", message: "It waited too long for a slot." }, "gone")
    }
    const parent = task.spec.parent?.sessionID
    if (task.notice.state === "owed" && parent !== undefined) {
      this.#emit({ type: "task:notified", id, epoch: task.epoch, parent, dead: true })
    }
    this.#drop(task)
    this.#effects.push({ type: "forget", id })
  }

  #drop(task: Task): void {
    this.#tasks.delete(task.id)
    if (task.sessionID !== undefined && this.#bySession.get(task.sessionID) === task.id) this.#bySession.delete(task.sessionID)
    this.#outbox.drop(task)
  }

  // ── Words ──

  #known(id: TaskId): Task {
    const task = this.#tasks.get(id)
    if (task === undefined) throw new LanesError("TASK_UNKNOWN", `There is no task ${id}.`, "List the tasks to see their ids.")
    return task
  }

  #row(task: Task, mono: number): TaskRow {
    const run = this.#runs.get(task.id)
    return { ...task, ranMs: run === undefined ? task.ranMs : Math.max(0, mono - run.evidence.startedAt) }
  }

  #journal(task: Task): void {
    this.#effects.push({ type: "journal", row: this.#row(task, this.#now.mono) })
  }

  #emit(event: BareEvent): void {
    this.#effects.push({ type: "emit", event })
  }

  #command(run: Run, command: RunCommand): void {
    if (run.started) this.#effects.push({ type: "command", run: run.ref, command })
  }
}

/** Verdicts on an idle session; all others fall without a fresh look, and what was idle then may be busy now. */
const SEEN_IDLE: ReadonlySet<string> = new Set(["TODOS_OPEN", "SESSION_ERROR", "PERMISSION", "PROMPT_REJECTED", "AGENT_UNKNOWN", "MODEL_UNKNOWN"])

const RESUME = "You were interrupted. Look at what you have done so far, go on from there, and finish the task."

function refusal(permission: string): string {
  return `Nobody can grant the permission "${permission}" here. Go on without it; if that is impossible, say so in your answer.`
}

function closing(): LanesError {
  return new LanesError("CLOSED", "This coordinator is closing and takes no more tasks.", "Create a new one.")
}

function same(a: RunRef, b: RunRef): boolean {
  return a.attempt === b.attempt && a.epoch === b.epoch && a.task === b.task
}
