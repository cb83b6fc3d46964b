// Sets up what is missing, then runs one TypeScript entry: node scripts/run.mjs src/main.ts [arguments]
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) throw new Error('usage: node scripts/run.mjs ENTRY.ts [arguments]');
setUp({ pages: entry === 'src/main.ts' });

const loader = pathToFileURL(join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
// The channel tells the child when we are gone, however we went; only a server listens for that.
const child = spawn(process.execPath, ['--import', loader, join(root, entry), ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
// The terminal's Ctrl-C reaches both; a service manager signals only us.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// npm's shell dies of a signal without passing it on, and leaves us behind as an orphan: that is a stop, too.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) child.kill('SIGTERM');
}, 500).unref();
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
