import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU time in ticks of 10 ms for programs, whatever the kernel's own clock (`USER_HZ`). */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used so far, all its threads together, in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Memory of a process that is in RAM, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

/** Processes that a process has started and that run. */
export function childrenOf(pid: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((candidate) => {
    try {
      return Number(statOf(candidate)[1]) === pid;
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

/** Fields of proc_pid_stat(5) from the third one, after the name, which may hold spaces. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
