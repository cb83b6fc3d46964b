// The clustered way without containers: two processes behind one proxy, PostgreSQL, and a Redis of our own that is killed on the way.
// node scripts/cluster.mjs   prints one JSON line of counts; exit status 1 if a message is lost or a reply comes twice.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

setUp();
const { default: pg } = await import('pg');
const DEADLINE_MS = 240_000;
const databaseUrl = process.env.DATABASE_URL || 'postgresql://root@127.0.0.1:5432/test';
const schema = `jiban_cluster_${randomBytes(4).toString('hex')}`;
const folder = mkdtempSync(join(tmpdir(), 'jiban-cluster-'));
const loader = pathToFileURL(join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
const children = new Set();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const note = (text) => console.error(`· ${text}`);

async function end(code) {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([...children].map((child) => child.ended));
  try {
    await query(`drop schema if exists ${schema} cascade`);
  } catch (error) {
    console.error(`the schema ${schema} stays: ${error.message}`);
  }
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
setTimeout(() => { console.error('the cluster run took too long'); void end(1); }, DEADLINE_MS).unref();

async function query(text) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
function start(command, args, env = {}) {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  children.add(child);
  child.out = '';
  child.err = '';
  child.stdout.on('data', (chunk) => { child.out += chunk; });
  child.stderr.on('data', (chunk) => { child.err += chunk; });
  child.ended = new Promise((resolve) => child.on('close', (code) => { children.delete(child); resolve(code); }));
  child.on('error', (error) => { child.err += error.message; });
  return child;
}
const freePort = () => new Promise((resolve, reject) => {
  const server = createServer();
  server.on('error', reject).listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)); });
});
const tsx = (entry, args, env) => start(process.execPath, ['--import', loader, join(root, entry), ...args], env);

async function startRedis(port) {
  const binary = ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server'].find(existsSync) ?? 'redis-server';
  if (spawnSync(binary, ['--version']).status !== 0) throw new Error('no redis-server; install Redis 6 or newer');
  const child = start(binary, ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', '']);
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (child.out.includes('Ready to accept connections')) return child;
    await pause(50);
  }
  throw new Error(`redis-server did not start: ${child.out.slice(-400)}${child.err}`);
}
async function startJiban(port, redisPort) {
  const child = tsx('src/main.ts', [], {
    PORT: String(port), HOST: '127.0.0.1', DATA_DIR: join(folder, 'shared'), DATABASE_URL: databaseUrl, DATABASE_SCHEMA: schema,
    REDIS_URL: `redis://127.0.0.1:${redisPort}`, UNDERSTAND_WORKERS: '1', LOG_LEVEL: 'warn', TRUST_PROXY: '127.0.0.1',
  });
  for (let waited = 0; waited < 90_000 && children.has(child); waited += 100) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.ok, () => false);
    if (ready) return child;
    await pause(100);
  }
  throw new Error(`Jiban did not get ready: ${child.err.slice(-800)}`);
}
/** Round robin over whoever answers. Bytes only, so WebSockets pass as everything else does. */
function startProxy(ports) {
  const taken = ports.map(() => 0);
  let turn = 0;
  const server = createServer((inbound) => {
    inbound.on('error', () => inbound.destroy());
    const tryOne = (left) => {
      if (left === 0) return inbound.destroy();
      const at = turn++ % ports.length;
      const outbound = connect(ports[at], '127.0.0.1');
      outbound.once('connect', () => {
        taken[at] += 1;
        inbound.pipe(outbound).pipe(inbound);
      });
      let passed = false;
      outbound.once('connect', () => { passed = true; });
      outbound.on('error', () => (passed ? inbound.destroy() : tryOne(left - 1)));
      outbound.on('close', () => { if (passed) inbound.destroy(); });
      inbound.on('close', () => outbound.destroy());
    };
    tryOne(ports.length);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, taken })));
}

let url = '';
let said = 0;
async function chat(who, texts) {
  said += texts.length;
  const child = tsx('src/cli/chat.ts', ['--json', '--url', url, '--identity', join(folder, `${who}.json`), '--wait', '25'], {});
  child.stdin.end(texts.map((text) => `${JSON.stringify({ say: text })}\n`).join(''));
  const code = await child.ended;
  const frames = child.out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const replies = frames.filter((frame) => frame.t === 'line' && frame.from !== 'resident' || (frame.from === 'bot'));
  return { code, frames: frames.length, replies: replies.length };
}

try {
  await query(`create schema if not exists ${schema}`).catch((error) => { throw new Error(`PostgreSQL cannot be used (DATABASE_URL): ${error.message}`); });
  const redisPort = await freePort();
  let redis = await startRedis(redisPort);
  const ports = [await freePort(), await freePort()];
  const first = await startJiban(ports[0], redisPort);
  const second = await startJiban(ports[1], redisPort);
  const proxy = await startProxy(ports);
  url = `http://127.0.0.1:${proxy.port}`;
  note('two processes are ready behind one proxy');

  const results = {};
  results.together = await Promise.all([
    chat('first', ['丰台区西罗园第二社区12号楼水管爆裂，地下室全是水', '地下室门口']),
    chat('second', ['望京西园三区楼下饭店油烟大，朝阳区望京街道']),
  ]);
  note('redis-server is killed');
  redis.kill('SIGKILL');
  await redis.ended;
  results.withoutRedis = [await chat('first', ['到哪一步了'])];
  redis = await startRedis(redisPort);
  note('redis-server is back, one Jiban is killed');
  results.redisBack = [await chat('second', ['还没人来'])];
  first.kill('SIGKILL');
  await first.ended;
  results.oneProcess = await Promise.all([chat('first', ['什么时候能修好']), chat('third', ['海淀区学院路路灯不亮了，在学院路街道'])]);

  await pause(1_500);
  const [counts] = await query(`select
    (select count(*)::int from ${schema}.inbox) as stored, (select count(*)::int from ${schema}.inbox where state = 'done') as done,
    (select count(*)::int from ${schema}.inbox where state = 'dead') as dead, (select count(*)::int from ${schema}.tickets) as tickets,
    (select count(*)::int from ${schema}.messages where author <> 'resident') as replies,
    (select count(*) - count(distinct (conversation_id, seq)) from ${schema}.messages)::int as "sameSeqTwice",
    (select count(*)::int from (select turn_id from ${schema}.inbox group by turn_id having count(*) > 1) as twice) as "turnsTwice"`);
  const history = tsx('src/cli/verify-history.ts', [], { DATA_DIR: join(folder, 'shared'), DATABASE_URL: databaseUrl, DATABASE_SCHEMA: schema });
  const historyCode = await history.ended;
  const chats = Object.values(results).flat();
  const ok = chats.every((each) => each.code === 0 && each.replies > 0) && counts.stored === said && counts.done === said && counts.dead === 0
    && counts.sameSeqTwice === 0 && counts.turnsTwice === 0 && proxy.taken.every((each) => each > 0) && historyCode === 0;
  console.log(JSON.stringify({ ok, said, ...counts, connections: proxy.taken, history: history.out.trim(), chats: results }));
  if (!ok) console.error(second.err.slice(-1_500));
  await end(ok ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await end(1);
}
