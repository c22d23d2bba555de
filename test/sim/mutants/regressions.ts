import type { FaultRates } from "../../../src/sim/index.ts"
import type { Mutant } from "./load.ts"

interface Regression extends Omit<Mutant, "with"> {
  readonly seed: number
  /** Default: the seed's own swarm. */
  readonly faults?: FaultRates
}

/** What campaigns found in the runtime: each fix taken back, and a seed that finds it again. */
export const REGRESSIONS: readonly Regression[] = [
  {
    name: "two reads in one moment counted as two idle polls",
    change: [["e.absentPolls >= 2 && apart && now >= idleAt", "e.absentPolls >= 2 && now >= idleAt"]],
    breaks: 15,
    seed: 51,
  },
  {
    name: "absence was counted from when it was asked for",
    change: [["if (e.absentPolls++ === 0) e.absentSince = now\n", "if (e.absentPolls++ === 0) e.absentSince = at\n"]],
    breaks: 15,
    faults: { "call.slow": 0.2, "agent.odd": 1 },
    seed: 187,
  },
  {
    name: "a slow answer made an old sample look young",
    change: [["const at = now - (snapshot.ageMs ?? 0)", "const at = now"]],
    breaks: 15,
    faults: { "call.slow": 0.2, "agent.odd": 1 },
    seed: 63,
  },
  {
    name: "TODOs of the first prompt were taken for older ones after a crash",
    change: [["if (assignment.check) return describe(info, ADOPTED)", ""]],
    breaks: 5,
    faults: { "coordinator.crash": 1, "report.delay": 0.5, "agent.odd": 1 },
    seed: 81,
  },
  {
    name: "a continued task went before tasks that came earlier, after a restart",
    change: [
      [
        "{ lane, order: ++this.#order, wall: now.wall })\n    outbox",
        "{ lane, order: task.order, wall: now.wall })\n    outbox",
      ],
    ],
    breaks: 6,
    seed: 83,
  },
  {
    name: "cut off between two steps while nobody looked, and called an answer",
    change: [["if (again) disturb(evidence, mono)", ""]],
    breaks: 15,
    faults: { "coordinator.crash": 1, "server.dispose": 1 },
    seed: 6_122,
  },
  {
    name: "ended on an old look at an idle session, which ran on",
    change: [["&& SEEN_IDLE.has(reason)", '&& reason !== "TTL"']],
    breaks: 18,
    faults: { "agent.odd": 1, "server.cut": 1, "call.slow": 0.1 },
    seed: 53,
  },
  {
    name: "its worker lost while the server was away, the session ran on",
    change: [
      ["clock.setTimer(ABORT_PAUSE_MS", "void (ABORT_PAUSE_MS, 0) || ((_: number, __: () => void): void => {})(0"],
    ],
    breaks: 18,
    faults: { "server.cut": 1, "worker.crash": 0.5, "worker.spin": 0.3, "agent.odd": 1, "user.cancel": 0.3 },
    seed: 2,
  },
  {
    name: "stopped before it was attached again, the session ran on",
    change: [["opened ?? this.#taken()", "opened"]],
    breaks: 18,
    faults: { "server.cut": 1, "worker.crash": 0.3, "worker.spin": 0.3, "user.cancel": 0.3, "agent.odd": 1 },
    seed: 21,
  },
  {
    name: "a report heard twice said that the server was back",
    change: [
      ["    this.#servers.answers()\n    task.prompts = task.prompts.with", "    task.prompts = task.prompts.with"],
      [
        '      case "prompted":\n        return this.#prompted',
        '      case "prompted":\n        this.#servers.answers()\n        return this.#prompted',
      ],
    ],
    breaks: 7,
    faults: { "report.duplicate": 0.3, "report.delay": 0.2, "call.lost": 0.2 },
    seed: 3,
  },
  {
    name: "a prompt that waited in line hid the tool that ran",
    change: [['else if (fingerprint === "") this.#depth = Math.min(this.#depth + 2, DEEPEST)', ""]],
    breaks: 13,
    faults: { "events.stalled": 1, "user.followUp": 0.5, "user.continue": 0.3, "agent.odd": 1 },
    seed: 39,
  },
  {
    name: "a prompt given up after 8 s began after the abort, and ran for nobody",
    change: [
      ["    } finally {\n      this.#promptedAt = clock.now()\n    }", "    } finally {\n    }"],
      ["if (e.disposedAt !== undefined && at >= e.disposedAt) e.disposedAt = undefined", ""],
    ],
    breaks: 18,
    seed: 23_487,
  },
  {
    name: "an instance that went away before its prompt was called accepted was taken for a person",
    change: [
      [
        "export function observePrompt(e: Evidence, messageID: string, now: number): void {\n",
        "export function observePrompt(e: Evidence, messageID: string, now: number): void {\n  e.disturbed = false\n",
      ],
    ],
    breaks: 33,
    faults: { "server.dispose": 1, "call.slow": 1 },
    seed: 2,
  },
  {
    name: "a prompt whose answer its coordinator did not live to hear was aborted unseen, and that was taken for a person",
    change: [["if (again) disturb", "if (evidence.accepted > 0) disturb"]],
    breaks: 33,
    seed: 727,
  },
  {
    name: "what had run and waited for a slot when its coordinator died again was given up, and ran on",
    change: [["const ran = row.startedAt !== undefined", 'const ran = row.state === "running"']],
    breaks: 18,
    faults: { "coordinator.crash": 1, "user.limits": 1, "agent.odd": 1 },
    seed: 15,
  },
  {
    name: "found its session gone, and did not wait for word of its conversation",
    change: [["if (orphaned) await this.#patience().sleep(BOUNDS.orphanMs)", ""]],
    breaks: 31,
    faults: { "parent.deleted": 1, "events.never": 1 },
    seed: 157,
  },
  {
    name: "an instance that went away was every directory's",
    change: [["(run) => directory === undefined || run.task.spec.directory === directory", "() => true"]],
    breaks: 32,
    faults: { "server.dispose": 1, "agent.odd": 0.5 },
    seed: 93,
  },
  {
    name: "cancelled while it waited for a slot again, the session ran on",
    change: [['leave === "abort" && startedAt !== undefined', 'leave === "idle" && startedAt !== undefined']],
    breaks: 18,
    faults: { "coordinator.crash": 1, "user.limits": 1, "user.cancel": 0.5 },
    seed: 429,
  },
  {
    name: "an abort by a worker that died before it could say so was somebody's",
    change: [["  disturb(e, now)\n  e.sampledAt = undefined\n", "  e.sampledAt = undefined\n"]],
    breaks: 33,
    seed: 16_109,
  },
]
