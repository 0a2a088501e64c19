/** The budget of each turn of the event loop, for programs: see `_internal/turn_budget.ts`. @module */
export { nextTurn, spend } from "../common/turn_budget.ts";
