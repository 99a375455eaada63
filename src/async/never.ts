/** For work that nobody takes back: what undoes, or what the agent does for itself. */
export const NEVER = new AbortController().signal;
