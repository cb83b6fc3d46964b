// Backup and restore, drilled: a running system with data, a backup under load, an erasure after it, the folder destroyed, restored, verified.
// node scripts/drill-backup.mjs   prints one JSON line; exit status 1 if anything is lost or anything forgotten is back.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

setUp();
const DEADLINE_MS = 180_000;
const folder = mkdtempSync(join(tmpdir(), 'jiban-drill-'));
const dataDir = join(folder, 'data');
const loader = pathToFileURL(join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
const env = { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '', REDIS_URL: '', PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'warn', UNDERSTAND_WORKERS: '1' };
const children = new Set();
const end = (code) => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
};
setTimeout(() => { console.error('the drill took too long'); end(1); }, DEADLINE_MS).unref();

function start(entry, args = []) {
  const child = spawn(process.execPath, ['--import', loader, join(root, entry), ...args], { cwd: root, env, stdio: ['pipe', 'pipe', 'pipe'] });
  children.add(child);
  child.out = '';
  child.err = '';
  child.stdout.on('data', (chunk) => { child.out += chunk; });
  child.stderr.on('data', (chunk) => { child.err += chunk; });
  child.ended = new Promise((resolve) => child.on('close', (code) => { children.delete(child); resolve(code); }));
  return child;
}
async function tool(entry, args, input = '') {
  const child = start(entry, args);
  child.stdin.end(input);
  const code = await child.ended;
  if (code !== 0) throw new Error(`${entry} ${args.join(' ')} ended with ${code}: ${child.err.slice(-800)}`);
  return child.out;
}
async function startJiban() {
  const child = start('src/main.ts');
  for (let waited = 0; waited < 60_000; waited += 100) {
    const url = /resident chat\s+(http:\S+?)\/\s/.exec(child.out)?.[1];
    if (url !== undefined) return { url, stop: async () => { child.kill('SIGTERM'); await child.ended; } };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Jiban did not start: ${child.err.slice(-800)}`);
}
const say = (texts) => texts.map((text) => `${JSON.stringify({ say: text })}\n`).join('');
const chat = (url, who, texts) => tool('src/cli/chat.ts', ['--json', '--url', url, '--identity', join(folder, `${who}.json`), '--wait', '10'], say(texts));
const lastJson = (text) => JSON.parse(text.trim().split('\n').at(-1));

try {
  let jiban = await startJiban();
  await chat(jiban.url, 'stays', ['丰台区西罗园第二社区12号楼地下室水管爆了，水都漫到一楼了', '就是12号楼地下室']);
  await chat(jiban.url, 'leaves', ['楼下饭店油烟太大，晚上窗户都不敢开，在朝阳区望京街道望京西园三区']);
  // The backup runs while a resident goes on writing.
  const [, taken] = await Promise.all([chat(jiban.url, 'stays', ['到哪一步了', '你好', '还有多久']), tool('src/cli/backup.ts', ['--out', join(folder, 'backup')])]);
  const backup = lastJson(taken);
  await tool('src/cli/keys.ts', ['backup', '--out', join(folder, 'keys.json')]);

  // Somebody is forgotten after the backup was made.
  const token = JSON.parse(readFileSync(join(folder, 'leaves.json'), 'utf8'));
  await jiban.stop();
  const residentId = await idOf(token);
  await tool('src/cli/erase.ts', [residentId]);
  const ledger = join(folder, 'erasures.log');
  // The ledger is copied off the machine more often than the rest: ids and times only.
  await import('node:fs/promises').then(({ copyFile }) => copyFile(join(dataDir, 'erasures.log'), ledger));

  rmSync(dataDir, { recursive: true, force: true });
  const restored = lastJson(await tool('src/cli/restore.ts', ['--from', join(folder, 'backup'), '--keys', join(folder, 'keys.json'), '--erasures', ledger]));
  const history = lastJson(await tool('src/cli/verify-history.ts', []));
  const keys = lastJson(await tool('src/cli/keys.ts', ['check']));
  jiban = await startJiban();
  const answer = await chat(jiban.url, 'stays', ['我的工单到哪一步了']);
  await jiban.stop();

  const ok = restored.messages === backup.messages && restored.tickets === backup.tickets && restored.erasedAnew === 1
    && history.broken === 0 && history.tickets === backup.tickets && keys.broken === 0 && keys.opened === backup.residents - 1 && answer.includes('"seq"');
  console.log(JSON.stringify({ ok, backup, restored, history, keys }));
  end(ok ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  end(1);
}

/** The resident's id as the server signed it: the token's first part is its body. */
async function idOf(saved) {
  const text = JSON.stringify(saved);
  const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/.exec(text)?.[0];
  if (uuid !== undefined) return uuid;
  for (const part of text.match(/[\w-]{20,}/g) ?? []) {
    const inside = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/.exec(Buffer.from(part, 'base64url').toString('latin1'));
    if (inside) return inside[0];
  }
  throw new Error('the identity file names no resident');
}
