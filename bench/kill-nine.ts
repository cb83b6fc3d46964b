/**
 * `kill -9` under load: what was acknowledged must be stored, each stored message must have exactly one turn, and a channel
 * that takes idempotency keys must see each notice once. How to run it and what the counts mean: bench/README.md.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer as createHttp } from 'node:http';
import { createServer as createTcp, type AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openStore } from '../src/store/open-store.ts';
import { verifyChain } from '../src/tickets/history-chain.ts';
import { dropSchema } from '../tests/fakes/drop-schema.ts';
import { seeded } from '../tests/fakes/seeded.ts';
import { reportText } from '../tests/fakes/understanding.ts';
import { machine } from './machine.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const PEOPLE = 40;
const SENDERS = 12;
/** Between two messages of a sender. Two processes live through the kills by turns, so the load never rests: below what two cores answer. */
const PAUSE_MS = { embedded: 8, clustered: 300 } as const;
/** So that there is load when it dies. */
const SHORTEST_LIFE_MS = 300;
const START_WITHIN_MS = 60_000;
const STUCK_AFTER_MS = 120_000;

export interface KillNineOptions {
  readonly kills: number;
  readonly seed: number;
  /** Set: two processes on PostgreSQL and a redis-server of our own, which is killed too. */
  readonly databaseUrl?: string | undefined;
  readonly realModel?: boolean;
  /** Between two kills, at most. */
  readonly longestLifeMs?: number;
  readonly say?: (line: string) => void;
}

export interface KillNineCounts {
  readonly mode: 'embedded' | 'clustered';
  readonly killsOfJiban: number;
  readonly killsOfRedis: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly stored: number;
  /** Acknowledged and not in the inbox. Must be 0. */
  readonly lost: number;
  readonly turnsDone: number;
  /** Messages with more than one ticket, or whose first reply was said more than once. Must be 0. */
  readonly turnsTwice: number;
  /** Messages without an end: neither done nor dead. Must be 0. */
  readonly turnsMissing: number;
  readonly reports: number;
  readonly tickets: number;
  readonly chainsBroken: number;
  readonly noticesDue: number;
  readonly noticesSeen: number;
  /** Due and never seen by the channel. Must be 0. */
  readonly noticesMissing: number;
  /** Deliveries repeated under a key the channel had already; it drops them. May be above 0. */
  readonly repeatedUnderOneKey: number;
  /** Notices with the same content under different keys: what a resident would really see twice. Must be 0. */
  readonly noticesTwice: number;
  readonly deadLetters: number;
  readonly seconds: number;
}

interface Running { readonly process: ChildProcess; readonly door: number }
interface Message { readonly id: string; readonly person: string; readonly text: string; readonly report: boolean }

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const ended = (process: ChildProcess): Promise<void> => new Promise((resolve) => {
  if (process.exitCode !== null || process.signalCode !== null) resolve();
  else process.once('exit', () => resolve());
});

async function kill(process: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = ended(process);
  process.kill(signal);
  await gone;
}

/** Everything one run starts, and the way to end all of it. */
class Bench {
  readonly #options: KillNineOptions;
  readonly #random: () => number;
  readonly #schema = `jiban_kill_${randomUUID().slice(0, 8)}`;
  #dataDir = '';
  #redisPort = 0;
  #redis: ChildProcess | null = null;
  readonly #jibans: (Running | null)[] = [];
  readonly #platform = { port: 0, keys: new Map<string, number>(), server: createHttp() };
  readonly #acknowledged = new Set<string>();
  readonly #sent = new Map<string, Message>();
  #load = true;
  #kills = { jiban: 0, redis: 0 };

  constructor(options: KillNineOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  async run(): Promise<KillNineCounts> {
    const started = Date.now();
    try {
      await this.#start();
      const senders = Array.from({ length: SENDERS }, (_, index) => this.#send(index));
      for (let done = 0; done < this.#options.kills; done += 1) await this.#killOne(done);
      this.#load = false;
      await Promise.all(senders);
      await this.#drain();
      for (const jiban of this.#jibans) if (jiban) await kill(jiban.process, 'SIGTERM');
      this.#jibans.fill(null);
      return await this.#count(Math.round((Date.now() - started) / 1000));
    } finally {
      await this.#end();
    }
  }

  async #start(): Promise<void> {
    this.#dataDir = await mkdtemp(join(tmpdir(), 'jiban-kill-'));
    this.#platform.server.on('request', (request, response) => {
      const key = String(request.headers['idempotency-key']);
      this.#platform.keys.set(key, (this.#platform.keys.get(key) ?? 0) + 1);
      request.resume();
      response.end();
    });
    await new Promise<void>((resolve) => this.#platform.server.listen(0, '127.0.0.1', resolve));
    this.#platform.port = (this.#platform.server.address() as AddressInfo).port;
    if (this.#options.databaseUrl !== undefined) {
      this.#redisPort = await freePort();
      this.#startRedis();
    }
    for (let index = 0; index < (this.#options.databaseUrl === undefined ? 1 : 2); index += 1) this.#jibans.push(await this.#startJiban());
  }

  #startRedis(): void {
    this.#redis = spawn('redis-server', ['--port', String(this.#redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.#dataDir], { stdio: 'ignore' });
  }

  async #startJiban(): Promise<Running> {
    const { databaseUrl, realModel } = this.#options;
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'bench', 'kill-nine-child.ts')], {
      cwd: root, stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', DATA_DIR: this.#dataDir, DATABASE_SCHEMA: this.#schema, LOG_LEVEL: 'warn', UNDERSTAND_WORKERS: '1',
        KILL_NINE_PLATFORM: `http://127.0.0.1:${this.#platform.port}/`, ...(realModel === true ? { KILL_NINE_REAL_MODEL: '1' } : {}),
        ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl, REDIS_URL: `redis://127.0.0.1:${this.#redisPort}`, REDIS_PREFIX: `${this.#schema}:` }),
      },
    });
    const door = await new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => { child.kill('SIGKILL'); reject(new Error('Jiban did not start in time')); }, START_WITHIN_MS);
      child.once('exit', (code) => { clearTimeout(late); reject(new Error(`Jiban ended with ${code} while starting`)); });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const port = /^door (\d+)$/.exec(line)?.[1];
        if (port === undefined) return;
        clearTimeout(late);
        resolve(Number(port));
      });
    });
    return { process: child, door };
  }

  /** One channel server: sends a message until it is acknowledged, as platforms do, then the next. */
  async #send(index: number): Promise<void> {
    for (let n = index; this.#load; n += SENDERS) {
      const report = n % 3 === 0;
      const message: Message = { id: `m-${n}`, person: `person-${n % PEOPLE}`, report, text: report ? reportText(n) : `第${String(n).padStart(6, '0')}号 您好` };
      this.#sent.set(message.id, message);
      await this.#deliver(message, n);
      await sleep(PAUSE_MS[this.#options.databaseUrl === undefined ? 'embedded' : 'clustered']);
    }
  }

  async #deliver(message: Message, n: number): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const up = this.#jibans.filter((jiban) => jiban !== null);
      const jiban = up[(n + attempt) % Math.max(1, up.length)];
      if (jiban) {
        try {
          const response = await fetch(`http://127.0.0.1:${jiban.door}/`, { method: 'POST', body: JSON.stringify(message) });
          await response.text();
          if (response.ok) {
            this.#acknowledged.add(message.id);
            return;
          }
        } catch (error) {
          if (!(error instanceof TypeError)) throw error; // fetch's word for a connection that broke: the process was killed
        }
      }
      if (!this.#load) return; // never acknowledged: the resident's client still has it
      await sleep(20);
    }
  }

  async #killOne(done: number): Promise<void> {
    await sleep(SHORTEST_LIFE_MS + this.#random() * (this.#options.longestLifeMs ?? 2_500));
    const index = Math.floor(this.#random() * this.#jibans.length);
    const victim = this.#jibans[index];
    if (!victim) throw new Error('nothing to kill');
    const redisToo = this.#redis !== null && done % 3 === 2;
    this.#jibans[index] = null;
    await kill(victim.process, 'SIGKILL');
    this.#kills.jiban += 1;
    if (redisToo && this.#redis) {
      await kill(this.#redis, 'SIGKILL');
      this.#kills.redis += 1;
      await sleep(this.#random() * 500);
      this.#startRedis();
    }
    this.#options.say?.(`kill ${done + 1}/${this.#options.kills}: ${this.#acknowledged.size} acknowledged${redisToo ? ', redis-server killed too' : ''}`);
    this.#jibans[index] = await this.#startJiban();
  }

  #open() {
    return openStore({ dataDir: this.#dataDir, databaseUrl: this.#options.databaseUrl, schema: this.#schema, newId: randomUUID, handlersOf: () => [], onIdleError: () => undefined, readonly: true });
  }

  /** Leases of the killed run out within a minute; then nothing may be left. Given up when nothing moves for two. */
  async #drain(): Promise<void> {
    const store = await this.#open();
    try {
      let before = Number.POSITIVE_INFINITY;
      for (let giveUp = Date.now() + STUCK_AFTER_MS; ;) {
        const left = await store.backlog(Date.now());
        const all = left.inbox * 4 + left.jobs * 2 + left.outbox; // a turn becomes jobs, a job becomes notices
        if (all === 0) return;
        if (all < before) [before, giveUp] = [all, Date.now() + STUCK_AFTER_MS];
        if (Date.now() > giveUp) return this.#options.say?.(`still to do: ${JSON.stringify(left)}`); // the counts will show it
        await sleep(500);
      }
    } finally {
      await store.close();
    }
  }

  async #count(seconds: number): Promise<KillNineCounts> {
    const store = await this.#open();
    try {
      const inbox = await store.db.selectFrom('inbox').select(['message_id', 'state', 'turn_id']).where('channel', '=', 'wecom-kf').execute();
      const outbox = await store.db.selectFrom('outbox').select(['idempotency_key', 'turn_id', 'state', 'conversation_id', 'message_id']).execute();
      const tickets = await store.db.selectFrom('tickets').select(['id', 'description']).execute();
      const stored = new Set(inbox.map((row) => row.message_id));
      const firstReplies = new Map<string, number>();
      for (const row of outbox) if (row.idempotency_key === `${row.turn_id}:0`) firstReplies.set(row.turn_id, (firstReplies.get(row.turn_id) ?? 0) + 1);
      const ticketsOf = new Map<string, number>();
      for (const ticket of tickets) {
        const about = `m-${Number(/第(\d{6})号/.exec(ticket.description)?.[1])}`;
        ticketsOf.set(about, (ticketsOf.get(about) ?? 0) + 1);
      }
      const reports = inbox.filter((row) => this.#sent.get(row.message_id)?.report === true);
      const given = this.#options.realModel !== true;
      const broken = (await Promise.all(tickets.map(async ({ id }) => {
        const chain = await store.chain(id);
        return chain && verifyChain(chain.links, chain.expected).ok ? 0 : 1;
      }))).reduce<number>((sum, each) => sum + each, 0);
      const noticesTwice = await this.#saidTwice(store);
      const deliveries = [...this.#platform.keys.values()];
      return {
        mode: this.#options.databaseUrl === undefined ? 'embedded' : 'clustered', killsOfJiban: this.#kills.jiban, killsOfRedis: this.#kills.redis,
        sent: this.#sent.size, acknowledged: this.#acknowledged.size, stored: stored.size, lost: [...this.#acknowledged].filter((id) => !stored.has(id)).length,
        turnsDone: inbox.filter((row) => row.state === 'done').length,
        turnsTwice: [...ticketsOf.values(), ...firstReplies.values()].filter((times) => times > 1).length,
        turnsMissing: inbox.filter((row) => row.state === 'ready' || (row.state === 'done' && !firstReplies.has(row.turn_id))).length + (given ? reports.filter((row) => !ticketsOf.has(row.message_id)).length : 0),
        reports: reports.length, tickets: tickets.length, chainsBroken: broken,
        noticesDue: outbox.length, noticesSeen: this.#platform.keys.size, noticesMissing: outbox.filter((row) => !this.#platform.keys.has(row.idempotency_key)).length,
        repeatedUnderOneKey: deliveries.reduce((sum, times) => sum + times - 1, 0), noticesTwice, deadLetters: (await store.backlog(Date.now())).dead, seconds,
      };
    } finally {
      await store.close();
    }
  }

  /** Of one ticket, the same step told twice: same conversation, same words. Replies to different messages may well be alike. */
  async #saidTwice(store: Awaited<ReturnType<typeof openStore>>): Promise<number> {
    let twice = 0;
    for (const { id } of await store.db.selectFrom('conversations').select('id').execute()) {
      const lines = await store.transcript(id as Parameters<typeof store.transcript>[0], { afterSeq: 0, limit: 100_000 });
      const told = lines.filter((line) => line.author === 'system' && line.body.kind === 'ticket').map((line) => JSON.stringify([line.body.kind === 'ticket' && [line.body.card.target, line.body.text]]));
      twice += told.length - new Set(told).size;
    }
    return twice;
  }

  async #end(): Promise<void> {
    this.#load = false;
    for (const jiban of this.#jibans) if (jiban) await kill(jiban.process, 'SIGKILL');
    if (this.#redis) await kill(this.#redis, 'SIGKILL');
    this.#platform.server.closeAllConnections();
    await new Promise((resolve) => this.#platform.server.close(resolve));
    const { databaseUrl } = this.#options;
    if (databaseUrl !== undefined) await dropSchema(databaseUrl, this.#schema);
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}

export const killNine = (options: KillNineOptions): Promise<KillNineCounts> => new Bench(options).run();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: {
    kills: { type: 'string', default: '30' }, seed: { type: 'string', default: '20261123' }, only: { type: 'string' }, 'real-model': { type: 'boolean', default: false },
  } });
  const about = machine(root);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const shared = { kills: Number(values.kills), seed: Number(values.seed), realModel: values['real-model'], say };
  const results: KillNineCounts[] = [];
  if (values.only !== 'clustered') results.push(await killNine(shared));
  if (values.only !== 'embedded' && process.env['DATABASE_URL'] !== undefined) results.push(await killNine({ ...shared, databaseUrl: process.env['DATABASE_URL'] }));
  await mkdir(join(root, 'bench', 'results'), { recursive: true });
  await writeFile(join(root, 'bench', 'results', 'kill-nine.json'), `${JSON.stringify({ machine: about, realModel: values['real-model'], seed: shared.seed, results }, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(results)}\n`);
  console.table(Object.fromEntries(results.map(({ mode, ...counts }) => [mode, counts])));
}
