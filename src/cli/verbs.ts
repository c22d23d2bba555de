/** The verbs of `lanes`, each loaded when it is asked for, so that help and completion are quick. */

import type { VerbEntry } from "./verb.ts"

export const verbs: Readonly<Record<string, VerbEntry>> = {
  demo: {
    about: "Watch agents work side by side: offline, free, about 15 seconds",
    load: async () => (await import("./demo.ts")).demo,
  },
  run: { about: "Run one task and print its result", load: async () => (await import("./run.ts")).run },
  batch: {
    about: "Run the tasks of a file side by side and print their results",
    load: async () => (await import("./batch.ts")).batch,
  },
  list: { about: "List tasks, whoever launched them", load: async () => (await import("./list.ts")).list },
  output: {
    about: "Print a task's result, or how far it is",
    load: async () => (await import("./output.ts")).output,
  },
  cancel: { about: "Cancel a task, or all of a project", load: async () => (await import("./cancel.ts")).cancel },
  continue: {
    about: "Give a task one more prompt, in its session",
    load: async () => (await import("./continue.ts")).goOn,
  },
  limits: {
    about: "Show the lanes, or change their limits while tasks run",
    load: async () => (await import("./limits.ts")).limits,
  },
  resume: {
    about: "Take over the tasks of a coordinator that is gone",
    load: async () => (await import("./resume.ts")).resume,
  },
  events: {
    about: "Print what happened to tasks, and what happens",
    load: async () => (await import("./events.ts")).events,
  },
  watch: { about: "Watch tasks in the terminal, live", load: async () => (await import("./watch.ts")).watch },
  serve: {
    about: "Show tasks on a page in the browser, live",
    load: async () => (await import("./serve.ts")).serve,
  },
  init: { about: "Add the plugin to OpenCode's configuration", load: async () => (await import("./init.ts")).init },
  doctor: {
    about: "Find what would keep lanes from working, and say what to do",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  simulate: {
    about: "Play thousands of tasks in virtual time, or try limits on a plan",
    load: async () => (await import("./simulate.ts")).simulateCommand,
  },
  completion: {
    about: "Print the completion script of a shell",
    load: async () => (await import("./completion.ts")).completionOf(verbs),
  },
}
