export { agent, AgentScript } from "./agent.ts"
export { faults } from "./faults.ts"
export { simulate, Simulation } from "./simulate.ts"
