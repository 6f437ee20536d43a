import { readFileSync } from "node:fs";

/** Linux reports CPU time to programs in ticks of 10 ms (`USER_HZ`). */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used so far, in seconds: user and system, all threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // proc_pid_stat(5), from the third field. The second one, the name, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The only child of a process. */
export function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  if (!/^\d+$/.test(children)) throw new Error(`expected one child of process ${pid}, got "${children}"`);
  return Number(children);
}
