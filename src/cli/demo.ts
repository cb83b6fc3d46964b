/**
 * `npm run demo`: tells the story of a burst pipe against the running Jiban, in which every word really goes through it.
 * It never asks anything, may be told again on the same data, and ends with 0 or says which step did not happen.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readEnvironment } from '../environment.ts';
import type { MessageLine } from '../connectors/web/protocol.ts';
import { DemoDesk } from './demo-desk.ts';
import { DemoResident } from './demo-resident.ts';
import { tellStory, type Teller } from './demo-story.ts';

const HELP = `Usage: npm run demo -- [options]

  --url URL     the running Jiban (default http://127.0.0.1:PORT, PORT from the environment or .env, 3000)
  --pace MS     wait so long after each step, for watching (default 0)
  --help        this text

Runs on the machine that runs Jiban: it reads DATA_DIR/admin.token to make its operator and unit accounts, and disables them at the end.
`;

const COLOUR = { resident: 32, bot: 36, operator: 35, unit: 33, story: 90 } as const;

function teller(paceMs: number): Teller {
  const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const paint = (code: number, text: string): string => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    chapter: (title) => void process.stdout.write(`\n${paint(1, title)}\n`),
    line: (who, side, text) => void process.stdout.write(`  ${paint(COLOUR[side], who)}：${text.replaceAll('\n', ' ')}\n`),
    pause: () => new Promise((done) => setTimeout(done, paceMs)),
  };
}

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { url: { type: 'string' }, pace: { type: 'string', default: '0' }, help: { type: 'boolean', default: false } } });
  if (values.help) return void process.stdout.write(HELP);
  const env = readEnvironment(root);
  const url = (values.url ?? `http://127.0.0.1:${env['PORT'] || '3000'}`).replace(/\/+$/, '');
  const pace = Number(values.pace);
  if (!Number.isFinite(pace) || pace < 0) throw new Error(`--pace 应当是毫秒数，不是「${values.pace}」`);
  const token = readToken(join(resolve(root, env['DATA_DIR'] || 'var'), 'admin.token'));
  await fetch(`${url}/healthz`).catch((cause: unknown) => { throw new Error(`${url} 没有回答。请先运行 npm start，或用 --url 指明地址。`, { cause }); });

  const told = teller(pace);
  const hears = (name: string) => (line: MessageLine) => told.line(`${line.name ?? (line.from === 'operator' ? '接线员' : '即办')} → ${name}`, line.from === 'operator' ? 'operator' : 'bot', 'text' in line.body ? line.body.text : `（${line.body.kind}）`);
  const [first, second] = await tellStory({
    aunt: new DemoResident('刘阿姨', url, hears('刘阿姨')), uncle: new DemoResident('张师傅', url, hears('张师傅')), admin: DemoDesk.administrator(url, token), teller: told,
  });
  process.stdout.write(`\n故事讲完了。两张工单：${first} ${second}\n`);
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new Error(`读不到 ${path}：演示要在运行即办的机器上、用同一个 DATA_DIR 启动。`, { cause });
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  process.stderr.write(`\n演示没有讲完：${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
