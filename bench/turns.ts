/**
 * Turns per second and the time from a message to its reply, with the shipped model on. How to run it and what the peers are:
 * bench/README.md.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { openStore, type OpenedStore } from '../src/store/open-store.ts';
import { buildLogger } from '../src/server/logger.ts';
import { dropSchema } from '../tests/fakes/drop-schema.ts';
import { givenUnderstand } from '../tests/fakes/understanding.ts';
import { machine, percentile, rounded } from './machine.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const PEOPLE = 400;
const CITY_PEAK_PER_SECOND = 50;

const WHAT = ['停水了', '停电了', '暖气不热', '路灯不亮', '楼上半夜装修太吵', '垃圾没人清运', '电梯坏了三天', '下水道堵了往外冒', '小区门口违章停车', '外墙掉砖', '广场舞声音太大', '烧烤摊油烟呛人', '单元门锁坏了', '物业乱收费', '水压太小', '井盖松动'];
const WHERE = ['西罗园第二社区12号楼', '方庄芳古园一区3号楼', '劲松五区', '回龙观龙泽苑东区', '望京西园四区', '天通苑北一区', '马家堡东路路口', '我们小区'];
/** 128 messages of the kind residents write; bench/messages.txt, one a line, takes their place where it exists. */
function messages(): readonly string[] {
  const file = join(root, 'bench', 'messages.txt');
  if (existsSync(file)) return readFileSync(file, 'utf8').split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  return WHAT.flatMap((what, w) => WHERE.map((where, p) => ['', '你好，', '您好，我想反映一下，', '麻烦问下，'][(w + p) % 4] + where + what + ['。', '，已经两天了，没人管', '，请尽快处理', ''][(w * 3 + p) % 4]));
}

interface Figures { readonly turnsPerSecond: number; readonly p50Ms: number; readonly p99Ms: number; readonly acknowledgedP50Ms: number; readonly acknowledgedP99Ms: number; readonly messages: number }
const figures = (replied: readonly number[], acknowledged: readonly number[], seconds: number): Figures => ({
  turnsPerSecond: rounded(replied.length / seconds, 1), p50Ms: rounded(percentile(replied, 50)), p99Ms: rounded(percentile(replied, 99)),
  acknowledgedP50Ms: rounded(percentile(acknowledged, 50)), acknowledgedP99Ms: rounded(percentile(acknowledged, 99)), messages: replied.length,
});

/** Jiban processes with the real model; the driver is both the residents and the platform that takes the replies. */
class Installation {
  readonly #schema = `jiban_bench_${randomUUID().slice(0, 8)}`;
  readonly #children: ChildProcess[] = [];
  readonly #doors: number[] = [];
  readonly #platform = createServer();
  readonly #repliedAt = new Map<string, number>();
  readonly #databaseUrl: string | undefined;
  readonly #texts = messages();
  #dataDir = '';
  #serial = 0;

  constructor(databaseUrl: string | undefined) {
    this.#databaseUrl = databaseUrl;
  }

  async start(processes: number): Promise<void> {
    this.#dataDir = await mkdtemp(join(tmpdir(), 'jiban-turns-'));
    this.#platform.on('request', (request, response) => {
      const key = String(request.headers['idempotency-key']);
      if (key.endsWith(':0')) this.#repliedAt.set(key.slice(0, -2), performance.now());
      request.resume();
      response.end();
    });
    await new Promise<void>((resolve) => this.#platform.listen(0, '127.0.0.1', resolve));
    for (let index = 0; index < processes; index += 1) await this.#startOne();
  }

  async #startOne(): Promise<void> {
    const { port } = this.#platform.address() as AddressInfo;
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'bench', 'kill-nine-child.ts')], {
      cwd: root, stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', DATA_DIR: this.#dataDir, DATABASE_SCHEMA: this.#schema, KILL_NINE_PLATFORM: `http://127.0.0.1:${port}/`, KILL_NINE_REAL_MODEL: '1',
        UNDERSTAND_WORKERS: '1',
        ...(this.#databaseUrl === undefined ? {} : { DATABASE_URL: this.#databaseUrl, REDIS_URL: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379', REDIS_PREFIX: `${this.#schema}:` }),
      },
    });
    this.#children.push(child);
    this.#doors.push(await new Promise<number>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`Jiban ended with ${code} while starting`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const door = /^door (\d+)$/.exec(line)?.[1];
        if (door !== undefined) resolve(Number(door));
      });
    }));
  }

  async #say(sent: Map<string, number>, acknowledged: number[]): Promise<void> {
    const n = this.#serial++;
    const id = `b-${n}`;
    const at = performance.now();
    sent.set(id, at);
    const response = await fetch(`http://127.0.0.1:${this.#doors[n % this.#doors.length]}/`, { method: 'POST', body: JSON.stringify({ person: `p-${n % PEOPLE}`, id, turnId: id, text: this.#texts[n % this.#texts.length] }) });
    await response.text();
    if (!response.ok) throw new Error(`refused with ${response.status}`);
    acknowledged.push(performance.now() - at);
  }

  async #replies(sent: ReadonlyMap<string, number>): Promise<number[]> {
    const giveUp = performance.now() + 120_000;
    while ([...sent.keys()].some((id) => !this.#repliedAt.has(id))) {
      if (performance.now() > giveUp) throw new Error(`${[...sent.keys()].filter((id) => !this.#repliedAt.has(id)).length} of ${sent.size} never answered`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return [...sent].map(([id, at]) => (this.#repliedAt.get(id) ?? Number.NaN) - at);
  }

  /** As many as it can take: `atOnce` residents who each write again when they are acknowledged. */
  async saturate(count: number, atOnce = 16): Promise<Figures> {
    const sent = new Map<string, number>();
    const acknowledged: number[] = [];
    const started = performance.now();
    let left = count;
    await Promise.all(Array.from({ length: atOnce }, async () => { while (left-- > 0) await this.#say(sent, acknowledged); }));
    const replied = await this.#replies(sent);
    return figures(replied, acknowledged, (Math.max(...[...sent.keys()].map((id) => this.#repliedAt.get(id) ?? 0)) - started) / 1000);
  }

  /** At fixed moments, whether or not the earlier ones were answered. */
  async openLoop(perSecond: number, seconds: number): Promise<Figures> {
    const sent = new Map<string, number>();
    const acknowledged: number[] = [];
    const started = performance.now();
    const all: Promise<void>[] = [];
    for (let n = 0; n < perSecond * seconds; n += 1) {
      const wait = started + (n * 1000) / perSecond - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      all.push(this.#say(sent, acknowledged));
    }
    await Promise.all(all);
    const replied = await this.#replies(sent);
    return figures(replied, acknowledged, (performance.now() - started) / 1000);
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.removeAllListeners('exit');
      child.once('exit', () => undefined);
      child.kill('SIGTERM');
      await Promise.race([gone, new Promise<void>((resolve) => { const look = setInterval(() => { if (child.exitCode !== null || child.signalCode !== null) { clearInterval(look); resolve(); } }, 20); })]);
    }
    this.#platform.closeAllConnections();
    await new Promise((resolve) => this.#platform.close(resolve));
    if (this.#databaseUrl !== undefined) await dropSchema(this.#databaseUrl, this.#schema);
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}

/** The peer: the same durable rows of a turn (message, claim, reply, outbox, done) and nothing else: no model, no planner, no Botkit, no HTTP. */
async function bareStore(databaseUrl: string | undefined, count: number): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'jiban-bare-'));
  const schema = `jiban_bare_${randomUUID().slice(0, 8)}`;
  const store = await openStore({ dataDir, databaseUrl, schema, newId: randomUUID, handlersOf: () => [], onIdleError: () => undefined });
  const people = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => store.ensureResident('web', `p-${index}`, 1)));
  const started = performance.now();
  let left = count;
  const one = async (): Promise<void> => {
    for (let n = --left; n >= 0; n = --left) {
      await store.receive({ channel: 'web', messageId: `b-${n}`, ...(people[n % PEOPLE] as (typeof people)[0]), content: { kind: 'text', text: '西罗园第二社区12号楼停水了' }, receivedAt: n, turnId: `b-${n}` });
      const claim = await store.claimTurn('me', Date.now(), 60_000);
      if (!claim) continue;
      await store.transaction(async (tx) => {
        if (!(await tx.lockTurn(claim))) return;
        await tx.say(claim.conversation, [{ author: 'bot', body: { kind: 'text', text: '请问具体在哪里？写小区、街道或路口都行，最好带上楼号；也可以发定位。' }, idempotencyKey: `${claim.message.turnId}:0` }], Date.now(), claim.message.turnId);
        await tx.finishTurn(claim, claim.conversation, Date.now());
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  const seconds = (performance.now() - started) / 1000;
  await store.close();
  if (databaseUrl !== undefined) await dropSchema(databaseUrl, schema);
  await rm(dataDir, { recursive: true, force: true });
  return rounded(count / seconds, 1);
}

/** Rows of so many conversations that were here before: a resident, four lines, an inbox row, two sent notices and a ticket each. */
async function fill(store: OpenedStore, upTo: number, from: number): Promise<void> {
  const numbers = sql`with recursive n(i) as (select ${from} union all select i + 1 from n where i + 1 < ${upTo})`;
  const insert = (statement: ReturnType<typeof sql>) => statement.execute(store.db);
  await insert(sql`insert into residents ${numbers} select 'r' || i, 'web', 'c' || i, 1, null, 'h' || i from n`);
  await insert(sql`insert into resident_keys ${numbers} select 'r' || i, 'w', 'm' from n`);
  await insert(sql`insert into conversations ${numbers} select 'c' || i, 'r' || i, 'web', 3, 4, 'bot', null, null, null, null, null, null, null, 0, hex(randomblob(300)), 4, null, null, 0 from n`);
  await insert(sql`insert into inbox (channel, message_id, conversation_id, seq, row_id, received_at, turn_id, state, attempts, error, done_at) ${numbers} select 'web', 'old' || i, 'c' || i, 1, 'm' || i, i, 't' || i, 'done', 0, null, 1 from n`);
  for (const seq of [1, 2, 3, 4]) await insert(sql`insert into messages ${numbers} select 'm' || i || '-' || ${seq}, 'c' || i, ${seq}, 'bot', null, 1, hex(randomblob(150)), null, 'k' || i || '-' || ${seq} from n`);
  for (const seq of [1, 2]) await insert(sql`insert into outbox (message_id, conversation_id, resident_id, channel, idempotency_key, turn_id, state, attempts, run_at, lease_owner, lease_until, proof, error, created_at, done_at) ${numbers} select 'm' || i, 'c' || i, 'r' || i, 'web', 'k' || i || '-' || ${seq}, 't', 'sent', 0, 1, null, 0, null, null, 1, 1 from n`);
  await insert(sql`insert into jobs (handler, lane, payload, state, attempts, run_at, lease_owner, lease_until, error, created_at) ${numbers} select 'ticket_due', 'x' || i, '{}', 'ready', 0, 9000000000000, null, 0, null, 1 from n`);
  await insert(sql`insert into tickets (id, number, version, conversation_id, resident_id, status, state, type, nature, disposition, urgency, district, street, community, description, address, media, opened_at, due_at, opened_by, unit_id, hops, reopened, model_version, directory_version, candidates, secret, history_length, history_head)
    ${numbers} select 'k' || i, 'n' || i, 1, 'c' || i, 'r' || i, 'archived', '{}', 'utilities.water', 'assistance', 'accept', 'd7', '110106', null, null, '""', '{}', '[]', i, i, 'bot', 'u' || (i % 50), 0, 0, 'm', 'd', '[]', null, 0, '' from n`);
}

/** ms of one process's time per turn (receive, turn, delivery; tickets and their notices included) on ever fuller stores. */
async function costBySize(sizes: readonly number[], turns: number): Promise<{ stored: number; msPerTurn: number; cpuMsPerTurn: number }[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'jiban-size-'));
  const app = await buildApp({
    config: readConfig({ DATA_DIR: dataDir, PORT: '0' }, root), root, logger: buildLogger({ level: 'silent' }), version: 'bench', understand: givenUnderstand,
  });
  app.work();
  const found: { stored: number; msPerTurn: number; cpuMsPerTurn: number }[] = [];
  let filled = 0;
  let serial = 0;
  const talk = async (count: number): Promise<void> => {
    const batch = `${filled}-${serial}`;
    const people = [];
    for (let index = 0; index < 100; index += 1) people.push(await app.store.ensureResident('web', `${batch}-${index}`, Date.now()));
    for (let n = 0; n < count; n += 1) {
      serial += 1;
      const text = n % 5 === 0 ? `第${String(serial).padStart(6, '0')}号 ${100_000 + serial}号楼停水了` : '您好，打听个事';
      await app.receive({ channel: 'web', messageId: randomUUID(), ...(people[n % 100] as (typeof people)[0]), content: { kind: 'text', text }, receivedAt: Date.now(), turnId: randomUUID() });
    }
    for (;;) {
      const left = await app.store.backlog(Date.now());
      if (left.inbox + left.outbox + left.jobs === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await talk(200); // warm
  for (const size of sizes) {
    await fill(app.store, size, filled);
    filled = size;
    await sql`pragma wal_checkpoint(truncate)`.execute(app.store.db); // what filling left to be written is not the turns' cost
    const [started, cpu] = [performance.now(), process.cpuUsage()];
    await talk(turns);
    const used = process.cpuUsage(cpu);
    found.push({ stored: size, msPerTurn: rounded((performance.now() - started) / turns), cpuMsPerTurn: rounded((used.user + used.system) / 1000 / turns) });
  }
  await app.close();
  await rm(dataDir, { recursive: true, force: true });
  return found;
}

const { values } = parseArgs({ options: { messages: { type: 'string', default: '1200' }, seconds: { type: 'string', default: '20' } } });
const about = machine(root);
const count = Number(values.messages);
const results: Record<string, unknown>[] = [];
const databaseUrl = process.env['DATABASE_URL'];
const setups: readonly { name: string; url: string | undefined; processes: number }[] = [
  { name: 'embedded', url: undefined, processes: 1 },
  ...(databaseUrl === undefined ? [] : [{ name: 'clustered, 1 process', url: databaseUrl, processes: 1 }, { name: 'clustered, 2 processes', url: databaseUrl, processes: 2 }]),
];
for (const setup of setups) {
  process.stderr.write(`${setup.name}\n`);
  const bareTurnsPerSecond = await bareStore(setup.url, 2_000);
  const installation = new Installation(setup.url);
  try {
    await installation.start(setup.processes);
    await installation.saturate(100); // warm
    const saturated = await installation.saturate(count);
    const atCityPeak = await installation.openLoop(CITY_PEAK_PER_SECOND, Number(values.seconds));
    results.push({ setup: setup.name, saturated, atCityPeak, bareTurnsPerSecond, ofBare: rounded(saturated.turnsPerSecond / bareTurnsPerSecond, 3) });
  } finally {
    await installation.stop();
  }
}
process.stderr.write('cost by stored size\n');
const bySize = await costBySize([1_000, 10_000, 100_000], 1_000);
await mkdir(join(root, 'bench', 'results'), { recursive: true });
await writeFile(join(root, 'bench', 'results', 'turns.json'), `${JSON.stringify({ machine: about, cityPeakPerSecond: CITY_PEAK_PER_SECOND, results, bySize }, null, 2)}\n`);
console.table(results.map(({ setup, saturated, atCityPeak, bareTurnsPerSecond, ofBare }) => {
  const [full, peak] = [saturated as Figures, atCityPeak as Figures];
  return { setup, 'turns/s': full.turnsPerSecond, 'p50 ms at 50/s': peak.p50Ms, 'p99 ms at 50/s': peak.p99Ms, 'ack p99 ms at 50/s': peak.acknowledgedP99Ms, 'bare store turns/s': bareTurnsPerSecond, ratio: ofBare };
}));
console.table(bySize);
