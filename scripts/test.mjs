// npm test: sets up what is missing, then runs the tests (arguments go to vitest).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';

setUp();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
process.exit(spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' }).status ?? 1);
