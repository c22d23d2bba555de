import { admit, claim, closing, continued } from "./admission.ts"
import { answerAgain, answerAsks } from "./asks.ts"
import { Book } from "./book.ts"
import type { Leave } from "./drains.ts"
import { Drains } from "./drains.ts"
import type { Delivery, Effect } from "./effects.ts"
import { endOf } from "./ending.ts"
import { LanesError } from "./errors.ts"
import type { Input, Now, RunReport, ThreadReport } from "./inputs.ts"
import type { LaneLimits, LaneView, SlotToken } from "./lanes.ts"
import { laneOf } from "./lanes.ts"
import { Notices } from "./notices.ts"
import type { Options } from "./options.ts"
import { BOUNDS } from "./options.ts"
import type { End, Task } from "./outcome.ts"
import { newPrompt, newTask, nextEpoch, noticeOf, outcomeOf } from "./outcome.ts"
import { nudge, RESUME } from "./phrases.ts"
import { checkpoint, note, noteUse, tellProgress } from "./progress.ts"
import { inTurn, revive } from "./recovery.ts"
import type { Run } from "./run.ts"
import { assignmentOf, deadlineOf, newRun, rulesOf, same } from "./run.ts"
import { ServerWatch } from "./server-watch.ts"
import type { SealedRow } from "./sealed.ts"
import type { Hint } from "./snapshot.ts"
import type { Verdict } from "./stability.ts"
import { judge, observe, observeFailure, observeHint, observePrompt, observeRestart } from "./stability.ts"
import type { Prompt, RunRef, TaskId, TaskRow } from "./task.ts"
import { isTerminal, transition } from "./task.ts"

type Of<T extends Input["type"]> = Extract<Input, { type: T }>

/**
 * Decides everything; touches nothing. `step` takes what happened and when, and returns what is to be done; it is the
 * only writer of task state. A command that cannot be taken throws a LanesError and changes nothing; everything else
 * that does not fit (late, duplicate, of an older attempt) is counted in `ignored` and changes nothing.
 */
export class Core {
  readonly #book: Book
  readonly #drains: Drains
  readonly #notices: Notices
  readonly #servers: ServerWatch
  #order = 0
  #closing: "no" | "drain" | "closed" = "no"

  constructor(options: Options) {
    this.#book = new Book(options)
    this.#notices = new Notices(this.#book)
    this.#servers = new ServerWatch(this.#book)
    this.#drains = new Drains(this.#book, {
      freed: (token, ref) => this.#release(token, ref),
      left: (id) => this.#enter(id),
      stuck: (id) => this.#shutOut(id),
    })
  }

  /** Takes in one thing that happened, and every deadline that has come. */
  step(input: Input, now: Now): Effect[] {
    this.#book.open(now)
    if (this.#closing !== "closed") {
      this.#take(input)
      this.#expire()
    } else if (input.type === "launch" || input.type === "continue") {
      throw closing()
    }
    return this.#book.close()
  }

  // ── What can be asked of it ──

  /** Inputs that came too late to matter. */
  get ignored(): number {
    return this.#book.ignored
  }

  get options(): Options {
    return this.#book.options
  }

  /** When `step` wants to be called next, at the latest; monotonic ms. */
  nextDue(): number | undefined {
    return this.#book.due.next()
  }

  /** A copy of a task's row, its times up to now. */
  get(id: TaskId, mono: number = this.#book.now.mono): TaskRow | undefined {
    const task = this.#book.tasks.get(id)
    return task === undefined ? undefined : this.#book.row(task, mono)
  }

  /** All tasks, or those of one conversation. */
  *list(parent?: string): Generator<TaskRow> {
    for (const task of this.#book.tasks.values(parent)) yield this.#book.row(task, this.#book.now.mono)
  }

  /** Tasks that run now. */
  *running(): Generator<TaskRow> {
    for (const { task } of this.#book.runs.values()) yield this.#book.row(task, this.#book.now.mono)
  }

  /** Whether a task of a directory runs or waits; looks at no other, for it is asked at every end of one. */
  isBusy(directory: string): boolean {
    const { runs, lanes, tasks } = this.#book
    for (const { task } of runs.values()) if (task.spec.directory === directory) return true
    for (const id of lanes.waiters()) if (tasks.get(id)?.spec.directory === directory) return true
    return false
  }

  findBySession(sessionID: string): TaskId | undefined {
    return this.#book.bySession.get(sessionID)
  }

  lanes(): LaneView[] {
    return this.#book.lanes.views()
  }

  lane(id: TaskId): (LaneView & { ahead: number }) | undefined {
    const { tasks, lanes } = this.#book
    const task = tasks.get(id)
    return task === undefined ? undefined : { ...lanes.view(task.lane), ahead: lanes.ahead(task.lane, id) }
  }

  owed(parent: string): TaskRow[] {
    return this.#book.outbox.owed(parent)
  }

  /** Whether a delivery under way is still what its parent should be told. */
  stands(delivery: Delivery): boolean {
    return this.#book.outbox.stands(delivery, this.#book.options.wake)
  }

  /** Sizes of everything that must be empty at rest. */
  sizes(): Readonly<Record<string, number>> {
    return { ...this.#book.sizes(), draining: this.#drains.size }
  }

  // ── What can happen ──

  #take(input: Input): void {
    switch (input.type) {
      case "launch":
        return this.#launch(input)
      case "continue":
        return this.#continue(input)
      case "cancel":
        return this.#cancel(
          this.#book.known(input.id),
          { state: "cancelled", reason: input.reason },
          input.silent === true,
        )
      case "refuse":
        return this.#refuse(input.id, input.before)
      case "session":
      case "prompted":
      case "snapshot":
      case "poll-failed":
      case "failed":
        return this.#report(input)
      case "stopped":
        if (!this.#drains.stopped(input.run)) this.#book.ignored++
        return
      case "worker-started":
        return this.#book.emit({ type: "worker:started", worker: input.worker })
      case "worker-lost":
        return this.#workerLost(input)
      case "hint":
        return this.#hint(input.sessionID, input.hint)
      case "events":
        for (const run of this.#servers.events(input.directory, input.alive)) this.#judge(run)
        return
      case "server-restarted":
        return this.#servers.disturbed(undefined, false)
      case "instance":
        if (input.state === "disposed") return this.#servers.disturbed(input.directory, true)
        return this.#servers.loaded(input.directory)
      case "limits":
        return this.#limits(input.limits)
      case "read":
        return this.#notices.read(input.id)
      case "told":
        return this.#notices.told(input.id, input.epoch, input.proof)
      case "delivery-failed":
        return this.#notices.failed(input.parent, input.gone === true)
      case "delivery-recalled":
        return this.#notices.recalled(input.parent)
      case "parent-deleted":
        return this.#parentDeleted(input.sessionID)
      case "parent-aborted":
        return this.#cancelOf(input.sessionID, ({ spec }) => !spec.background)
      case "recover":
        return this.#recover(input)
      case "close":
        return this.#close(input.mode)
      case "tick":
        return
    }
  }

  #launch({ id, spec }: Of<"launch">): void {
    const { tasks, options, now } = this.#book
    const lane = laneOf(spec.model, options)
    this.#open()
    admit(this.#book, spec.parent?.sessionID, lane)
    if (tasks.has(id)) throw new LanesError("INVALID_INPUT", `There is a task ${id} already.`)
    claim(this.#book, spec.sessionID, id)
    this.#queue(newTask({ id, spec, lane, order: ++this.#order, wall: now.wall }))
  }

  #continue(input: Of<"continue">): void {
    const { id, prompt } = input
    const { options, outbox, now } = this.#book
    const task = this.#book.known(id)
    this.#open()
    if (!isTerminal(task.state)) return this.#prompt(task, "follow-up", prompt)
    const spec = continued(task.spec, input)
    const lane = laneOf(spec.model, options)
    admit(this.#book, spec.parent?.sessionID, lane)
    claim(this.#book, task.sessionID, id)
    const next = nextEpoch(task, prompt, spec, { lane, order: ++this.#order, wall: now.wall })
    outbox.drop(task)
    this.#book.emit({ type: "task:continued", id, epoch: next.epoch, prompt })
    this.#queue(next)
  }

  #open(): void {
    if (this.#closing !== "no") throw closing()
  }

  /** pending: stored, told, and given a slot if there is one. */
  #queue(task: Task): void {
    const { id, epoch, lane, spec } = task
    const { lanes, due, now, options } = this.#book
    this.#book.add(task)
    this.#book.outbox.index(task)
    this.#book.journal(task)
    const token = this.#closing === "no" ? lanes.request(lane, id) : undefined
    this.#book.emit({
      type: "task:queued",
      id,
      epoch,
      lane,
      ahead: token === undefined ? lanes.queued(lane) - 1 : 0,
      description: spec.description,
      ...(spec.agent === undefined ? {} : { agent: spec.agent }),
      ...(spec.model === undefined ? {} : { model: spec.model }),
      ...(spec.parent === undefined ? {} : { parent: spec.parent.sessionID }),
    })
    if (token !== undefined) return this.#granted(task, token)
    if (options.queueTtlMs > 0) due.set(deadlineOf(id), now.mono + options.queueTtlMs)
    else due.clear(deadlineOf(id))
  }

  /** running: the slot is here; the clock of the run starts. */
  #granted(task: Task, token: SlotToken): void {
    const { mono, wall } = this.#book.now
    const again = task.startedAt !== undefined
    task.state = transition(task.state, "running") ?? task.state
    task.queuedMs += Math.max(0, wall - task.queuedAt)
    task.startedAt = wall
    task.attempt++
    const run = newRun(task, token, { mono, again, eventsAlive: this.#servers.eventsAlive(task.spec.directory) })
    this.#book.runs.set(task.id, run)
    this.#book.journal(task)
    const { id, epoch, lane, attempt, queuedMs } = task
    const { used, limit, queued } = this.#book.lanes.view(lane)
    this.#book.emit({ type: "lane:granted", id, epoch, lane, used, limit, queued })
    this.#book.emit({ type: "task:started", id, epoch, lane, attempt, queuedMs })
    if (!this.#drains.has(id)) this.#start(run)
    this.#judge(run)
  }

  #start(run: Run): void {
    run.started = true
    this.#book.ask({ type: "start-run", assignment: assignmentOf(run, this.#book.options) })
  }

  // ── What is seen of runs ──

  #report(input: Exclude<RunReport, { type: "stopped" }>): void {
    const run = this.#book.runs.get(input.run.task)
    const numbered = input.type === "snapshot" || input.type === "poll-failed"
    if (run === undefined || !same(run.ref, input.run) || (numbered && input.seq <= run.seq)) {
      this.#book.ignored++
      return
    }
    if (numbered) run.seq = input.seq
    switch (input.type) {
      case "session":
        return this.#session(run, input)
      case "prompted":
        return this.#prompted(run, input.n, input.messageID)
      case "snapshot": {
        this.#servers.answers()
        const moved = observe(run.evidence, input.snapshot, this.#book.now.mono)
        note(this.#book, run, input.snapshot)
        if (moved) tellProgress(this.#book, run)
        checkpoint(this.#book, run)
        answerAsks(this.#book, run)
        if (input.snapshot.asks !== undefined) answerAgain(this.#book, run, input.snapshot.asks)
        return this.#judge(run)
      }
      case "poll-failed":
        if (input.failure === "unreachable") this.#servers.silent(input.message)
        observeFailure(run.evidence, input.failure, this.#book.now.mono)
        return this.#judge(run)
      case "failed":
        return this.#settle(run.task, { state: "error", reason: input.reason, message: input.message }, "gone")
    }
  }

  #session(run: Run, { sessionID, todos }: Of<"session">): void {
    const { task, ref } = run
    if (run.openedBy === ref.attempt) return void this.#book.ignored++
    run.openedBy = ref.attempt
    this.#servers.answers()
    if (todos !== undefined && run.evidence.accepted === 0) task.todosBefore = todos
    const known = task.sessionID === sessionID
    task.sessionID = sessionID
    this.#book.bySession.set(sessionID, task.id)
    if (!known) this.#book.journal(task)
    this.#book.emit({ type: "task:session", id: task.id, epoch: task.epoch, sessionID })
  }

  #prompted(run: Run, n: number, messageID: string): void {
    const { task, evidence } = run
    const prompt = task.prompts[n]
    if (prompt === undefined || prompt.messageID !== undefined) return void this.#book.ignored++
    this.#servers.answers()
    task.prompts = task.prompts.with(n, { ...prompt, messageID })
    observePrompt(evidence, messageID, this.#book.now.mono)
    this.#book.journal(task)
    this.#judge(run)
  }

  #hint(sessionID: string, hint: Hint): void {
    if (hint.type === "deleted") this.#parentDeleted(sessionID)
    const run = this.#book.runs.get(this.#book.bySession.get(sessionID) ?? "")
    // Until it is handed to a worker, what happens in the session is its predecessor's.
    if (run === undefined || (!run.started && hint.type !== "deleted")) return void this.#book.ignored++
    if (hint.type === "step-end" && hint.used !== undefined) noteUse(run, hint.used)
    if (observeHint(run.evidence, hint, this.#book.now.mono)) tellProgress(this.#book, run)
    switch (hint.type) {
      case "idle":
      case "step-end":
      case "error":
        return this.#book.command(run, { type: "poke" })
      case "ask":
      case "answered":
        return answerAsks(this.#book, run)
      case "deleted":
      case "step":
        return this.#judge(run)
      case "delta":
      case "part":
      case "todos":
        // The deadline set before is early now; when it comes the evidence is judged again.
        return
    }
  }

  // ── What is concluded ──

  #judge(run: Run): void {
    const { due, now, options } = this.#book
    const verdict = judge(run.evidence, rulesOf(run, options), now.mono)
    if (verdict.type !== "wait") return this.#conclude(run, verdict)
    if (verdict.ms === Number.POSITIVE_INFINITY) due.clear(run.deadline.key)
    else run.deadline = due.move(run.deadline, now.mono + verdict.ms)
  }

  #conclude(run: Run, verdict: Exclude<Verdict, { type: "wait" }>): void {
    const { task } = run
    const ending = endOf(verdict, run, this.#book.options)
    if (ending !== undefined) return this.#settle(task, ending.end, ending.leave)
    if (verdict.type === "nudge") {
      task.nudges++
      this.#prompt(task, "nudge", nudge(verdict.open))
    } else {
      task.resumes++
      this.#prompt(task, "resume", RESUME)
    }
    this.#judge(run)
  }

  /** One more prompt of ours, stored before it is sent. */
  #prompt(task: Task, kind: Exclude<Prompt["kind"], "first">, text: string): void {
    const prompt = newPrompt(task.id, task.epoch, task.prompts.length, kind, text)
    task.prompts = [...task.prompts, prompt]
    this.#book.journal(task)
    this.#book.emit({ type: "task:nudged", id: task.id, epoch: task.epoch, kind, n: prompt.n })
    const run = this.#book.runs.get(task.id)
    if (run !== undefined) this.#book.command(run, { type: "prompt", prompt })
  }

  /**
   * The only ending. The first reason wins; the row, the notice and the word on the bus are settled in this step, and
   * stopping the session never delays them. The slot comes back now if the session is idle, else when it is seen so.
   */
  #settle(task: Task, end: End, leave: Leave, silent = false): void {
    const state = transition(task.state, end.state)
    if (state === undefined) return void this.#book.ignored++
    const { runs, outbox, due, options, now } = this.#book
    const run = runs.get(task.id)
    task.state = state
    task.settledAt = now.wall
    if (run === undefined) task.queuedMs += Math.max(0, now.wall - task.queuedAt)
    else task.ranMs = Math.max(0, now.mono - run.evidence.startedAt)
    task.outcome = outcomeOf(task, end, run?.evidence.newest)
    task.notice = noticeOf(task, silent)
    outbox.index(task, this.#notices.quiet)
    due.set(deadlineOf(task.id), now.mono + options.retainMs)
    this.#book.journal(task)
    const { id, epoch, outcome, spec, lane } = task
    this.#book.emit({ type: "task:settled", id, epoch, outcome, description: spec.description, lane })
    runs.delete(id)
    if (run === undefined) this.#leaveQueue(task, leave)
    else this.#drains.leave(run, leave)
    this.#notices.notify(spec.parent?.sessionID)
  }

  /** One that was taken over and waits for a slot again may be at work in its session all the same. */
  #leaveQueue({ id, lane, startedAt, sessionID, spec }: Task, leave: Leave): void {
    this.#book.lanes.withdraw(lane, id)
    if (leave === "abort" && startedAt !== undefined && sessionID !== undefined)
      this.#book.ask({ type: "abort", sessionID, directory: spec.directory })
  }

  #cancel(task: Task, end: End, silent: boolean): void {
    if (isTerminal(task.state)) return void this.#book.ignored++
    this.#settle(task, end, "abort", silent)
  }

  #parentDeleted(sessionID: string): void {
    this.#cancelOf(sessionID, () => true)
    this.#notices.forgo(sessionID)
  }

  /** A conversation is over, or gives up waiting: its tasks are cancelled without a word. */
  #cancelOf(parent: string, which: (row: TaskRow) => boolean): void {
    for (const row of this.#book.outbox.unsettled(parent)) {
      if (which(row)) this.#cancel(this.#book.known(row.id), { state: "cancelled", reason: "PARENT" }, true)
    }
  }

  // ── Slots ──

  #release(token: SlotToken, { task: id, epoch }: RunRef): void {
    const { lanes } = this.#book
    if (!lanes.release(token)) return
    const { used, limit, queued } = lanes.view(token.lane)
    this.#book.emit({ type: "lane:released", id, epoch, lane: token.lane, used, limit, queued })
    this.#grant(token.lane)
  }

  /** A free slot and a waiter never coexist after a step. */
  #grant(lane: string): void {
    if (this.#closing !== "no") return
    const { lanes, tasks } = this.#book
    for (let token = lanes.grantNext(lane); token !== undefined; token = lanes.grantNext(lane)) {
      const task = tasks.get(token.task)
      if (task !== undefined) this.#granted(task, token)
    }
  }

  /** The session is free for the run that waited for its predecessor to leave. */
  #enter(id: TaskId): void {
    const next = this.#book.runs.get(id)
    if (next?.started === false) this.#start(next)
  }

  #shutOut(id: TaskId): void {
    const next = this.#book.runs.get(id)
    if (next?.started !== false) return
    const message = "Its previous run did not leave the session."
    this.#settle(next.task, { state: "error", reason: "SESSION_ERROR", message }, "gone")
  }

  #limits(limits: Partial<LaneLimits>): void {
    const { lanes } = this.#book
    const before = new Map(lanes.views().map((view) => [view.lane, view.limit]))
    this.#book.options = withLimits(this.#book.options, limits)
    lanes.setLimits(this.#book.options)
    for (const { lane, limit } of lanes.views()) {
      if (before.get(lane) !== limit) this.#book.emit({ type: "lane:limit", lane, limit })
      this.#grant(lane)
    }
  }

  // ── Beginning and end of threads and processes ──

  #workerLost({ worker, cause, runs }: Extract<ThreadReport, { type: "worker-lost" }>): void {
    this.#book.emit({ type: "worker:lost", worker, cause, tasks: runs.map((run) => run.task) })
    for (const ref of runs) {
      if (this.#drains.workerLost(ref)) continue
      const run = this.#book.runs.get(ref.task)
      if (run?.started !== true || !same(run.ref, ref)) this.#lostTooLate(ref)
      else this.#goOnElsewhere(run, cause)
    }
  }

  /** It had ended and was still about to leave its session: that is done from here, unless somebody else is in it. */
  #lostTooLate({ task: id }: RunRef): void {
    this.#book.ignored++
    const task = this.#book.tasks.get(id)
    if (task?.sessionID === undefined || !isTerminal(task.state)) return
    this.#book.ask({ type: "abort", sessionID: task.sessionID, directory: task.spec.directory })
  }

  /** Same session, same slot, same clock: another attempt, on another worker. */
  #goOnElsewhere(run: Run, cause: string): void {
    const { task } = run
    task.crashes++
    if (task.crashes > BOUNDS.crashes) {
      const message = `Its worker was lost ${task.crashes} times: ${cause}.`
      return this.#settle(task, { state: "error", reason: "WORKER_LOST", message }, "lost")
    }
    task.attempt++
    run.ref = { ...run.ref, attempt: task.attempt }
    run.seq = 0
    run.again = true
    observeRestart(run.evidence, this.#book.now.mono)
    this.#book.journal(task)
    const { id, epoch, lane, queuedMs, attempt } = task
    this.#book.emit({ type: "task:started", id, epoch, lane, attempt, queuedMs })
    this.#start(run)
    this.#judge(run)
  }

  /** Takes over what an earlier coordinator left. */
  #recover({ rows, sealed = [], sessions }: Of<"recover">): void {
    const { tasks } = this.#book
    const fresh = inTurn(rows, tasks)
    for (const { order } of fresh) this.#order = Math.max(this.#order, order)
    for (const row of sealed) {
      this.#order = Math.max(this.#order, row.order)
      if (!tasks.has(row.id)) this.#seal(row)
    }
    this.#notices.quiet = true
    for (const row of fresh) {
      if (isTerminal(row.state)) this.#keep(row, true)
      else this.#takeOver(row, sessions)
    }
    this.#notices.quiet = false
    for (const parent of new Set(fresh.map((row) => row.spec.parent?.sessionID))) this.#notices.notify(parent)
  }

  #seal(row: SealedRow): void {
    const { tasks, bySession } = this.#book
    tasks.seal(row)
    if (row.sessionID !== undefined) bySession.set(row.sessionID, row.id)
    this.#retain(row.id, row.settledAt)
  }

  #keep(row: TaskRow, quiet: boolean): void {
    const task: Task = { ...row, prompts: [...row.prompts] }
    this.#book.add(task)
    this.#book.outbox.index(task, quiet)
    this.#retain(row.id, row.settledAt ?? this.#book.now.wall)
  }

  /** A settled row stays readable as long as it would have. */
  #retain(id: TaskId, settledAt: number): void {
    const { due, now, options } = this.#book
    const age = Math.max(0, now.wall - settledAt)
    due.set(deadlineOf(id), now.mono + Math.max(0, options.retainMs - age))
  }

  #takeOver(row: TaskRow, sessions: "alive" | "dead"): void {
    const { options, now } = this.#book
    const { task, interrupted } = revive(row, { sessions, options, wall: now.wall })
    if (!interrupted) return this.#queue(task)
    this.#book.add(task)
    this.#settle(task, { state: "error", reason: "INTERRUPTED", message: "Its host ended before it was done." }, "gone")
  }

  /** `drain`: nothing new starts. `detach`: leaves everything as it is. `abort`: ends it all. */
  #close(mode: Of<"close">["mode"]): void {
    if (this.#closing === "no") this.#closing = "drain"
    if (mode === "abort") {
      for (const task of this.#book.tasks.open()) {
        if (!isTerminal(task.state)) this.#settle(task, { state: "cancelled", reason: "SHUTDOWN" }, "abort")
      }
    } else if (mode === "detach") {
      for (const run of this.#book.runs.values()) {
        this.#book.journal(run.task)
        this.#book.command(run, { type: "stop", abort: false })
      }
      this.#closing = "closed"
    }
  }

  /** Undo of a launch or continue that the journal did not take: its other effects were never carried out. */
  #refuse(id: TaskId, before: TaskRow | undefined): void {
    const { tasks, runs, lanes, due } = this.#book
    const task = tasks.get(id)
    if (task === undefined) return
    if (before !== undefined && !isTerminal(before.state)) {
      task.prompts = [...before.prompts]
      return
    }
    const run = runs.get(id)
    if (run === undefined) lanes.withdraw(task.lane, id)
    else lanes.release(run.token)
    runs.delete(id)
    due.clear(deadlineOf(id))
    this.#book.drop(task)
    if (before !== undefined) this.#keep(before, false)
  }

  // ── Deadlines ──

  #expire(): void {
    const { due, now } = this.#book
    for (let key = due.take(now.mono); key !== undefined; key = due.take(now.mono)) {
      const id = key.slice(2)
      if (key.startsWith("d:")) this.#drains.due(id)
      else if (key.startsWith("p:")) this.#notices.notify(id)
      else this.#taskDue(id)
    }
  }

  #taskDue(id: TaskId): void {
    const run = this.#book.runs.get(id)
    if (run !== undefined) return this.#judge(run)
    const task = this.#book.tasks.get(id)
    if (task === undefined) return
    if (!isTerminal(task.state)) {
      return this.#settle(
        task,
        { state: "error", reason: "QUEUE_TTL", message: "It waited too long for a slot." },
        "abort",
      )
    }
    const parent = task.spec.parent?.sessionID
    if (task.notice.state === "owed" && parent !== undefined) {
      this.#book.emit({ type: "task:notified", id, epoch: task.epoch, parent, dead: true })
    }
    this.#book.drop(task)
    this.#book.ask({ type: "forget", id })
  }
}

/** Maps are merged key by key: who sets one provider's limit does not lift the others'. */
export function withLimits(options: Options, limits: Partial<LaneLimits>): Options {
  return {
    ...options,
    defaultConcurrency: limits.defaultConcurrency ?? options.defaultConcurrency,
    providerConcurrency: { ...options.providerConcurrency, ...limits.providerConcurrency },
    modelConcurrency: { ...options.modelConcurrency, ...limits.modelConcurrency },
  }
}
