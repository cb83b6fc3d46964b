/**
 * `npm run chat`: a resident in the terminal, talking to a running Jiban as the page does. With `--json` one JSON object a
 * line in and out, so that scripts can play residents. How to use it: docs/web-chat-protocol.md, or `--help`.
 */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readEnvironment } from '../environment.ts';
import { ChatTerminal } from './chat-terminal.ts';
import { JsonResident } from './chat-json.ts';
import { openResident } from './chat-resident.ts';

const HELP = `Usage: npm run chat -- [options]

  --url URL         the running Jiban (default http://127.0.0.1:PORT, PORT from the environment or .env, 3000)
  --identity FILE   where this resident's token is kept (default DATA_DIR/cli/resident.json)
  --new             start as a resident nobody knows yet
  --json            one JSON object per line: {"say"} {"tap"} {"image"} {"location"} {"edit"} in, frames out
  --wait SECONDS    with --json, how long to wait for answers after the end of input (default 15)
  --help            this text
`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const env = readEnvironment(root);

const { values } = parseArgs({
  options: {
    url: { type: 'string' }, identity: { type: 'string' }, new: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
    wait: { type: 'string', default: '15' }, help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const resident = openResident({
    url: values.url ?? `http://127.0.0.1:${env['PORT'] || '3000'}`,
    identityFile: values.identity ?? join(resolve(root, env['DATA_DIR'] || 'var'), 'cli', 'resident.json'),
    fresh: values.new,
  });
  const waitMs = Number(values.wait) * 1000;
  if (!Number.isFinite(waitMs) || waitMs < 0) throw new Error(`--wait must be a number of seconds, not ${values.wait}`);
  if (values.json) process.exitCode = await new JsonResident(resident, process.stdin, process.stdout, waitMs).run();
  else await new ChatTerminal(resident, process.stdin, process.stdout).run();
}
