import { readdirSync, readFileSync } from 'node:fs';

/** Watches the arguments of all processes, as `ps` shows them to every user of the machine, until `stop`. */
export function watchProcessList(): { stop: () => Set<string> } {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) seen.add(argumentsOf(pid));
  };
  const timer = setInterval(look, 10);
  return {
    stop() {
      clearInterval(timer);
      return seen;
    },
  };
}

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended
  }
}
