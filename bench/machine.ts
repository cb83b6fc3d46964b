import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** What a number was measured on; stands beside every result. */
export interface Machine {
  readonly at: string;
  readonly commit: string;
  /** The tree differed from the commit. */
  readonly changed: boolean;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  readonly node: string;
  /** Load of the last minute when the measurement began: above the number of cores, others took part. */
  readonly load: number;
}

export function machine(root: string): Machine {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const [first] = cpus();
  return {
    at: new Date().toISOString(), commit: git('rev-parse', 'HEAD'), changed: git('status', '--porcelain', '--untracked-files=no', 'src', 'models') !== '',
    cpu: modelName() ?? first?.model ?? 'unknown', cores: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30), os: `${type()} ${release()}`, node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** Node says 「unknown」 on some virtual machines. */
function modelName(): string | undefined {
  try {
    return /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  } catch {
    return undefined; // not Linux
  }
}

/** Nearest rank; `percent` 0–100. NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export const rounded = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;
