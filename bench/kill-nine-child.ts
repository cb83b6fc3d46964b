/**
 * One Jiban process for bench/kill-nine.ts and bench/turns.ts: the real app with one more channel, whose platform is the driver. Messages come in
 * by HTTP and are acknowledged after the commit; notices go out by HTTP with their idempotency key.
 */
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import type { OutboundMessage, Sent } from '../src/domain/message.ts';
import { buildLogger } from '../src/server/logger.ts';
import { givenUnderstand } from '../tests/fakes/understanding.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const platform = process.env['KILL_NINE_PLATFORM'] ?? '';
const realModel = process.env['KILL_NINE_REAL_MODEL'] === '1';

const connector = {
  channel: 'wecom-kf' as const,
  async send(message: OutboundMessage): Promise<Sent> {
    try {
      const response = await fetch(platform, { method: 'POST', headers: { 'idempotency-key': message.idempotencyKey }, body: '' });
      await response.arrayBuffer();
      return response.ok ? { ok: true } : { ok: false, retryable: true, code: `http ${response.status}` };
    } catch {
      return { ok: false, retryable: true, code: 'unreachable' };
    }
  },
};

const app = await buildApp({
  config: readConfig(process.env, root), root, logger: buildLogger({ level: 'warn' }), version: 'bench', connectors: [connector], ...(realModel ? {} : { understand: givenUnderstand }),
});
await app.listen();

const door = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { person, id, text, turnId } = JSON.parse(Buffer.concat(chunks).toString()) as { person: string; id: string; text: string; turnId?: string };
    const now = Date.now();
    app.store.ensureResident('wecom-kf', person, now)
      .then((ids) => app.receive({ channel: 'wecom-kf', messageId: id, ...ids, content: { kind: 'text', text }, receivedAt: now, turnId: turnId ?? randomUUID() }))
      .then((stored) => response.end(stored.outcome), () => { response.statusCode = 503; response.end(); });
  });
});
door.listen(0, '127.0.0.1', () => {
  const address = door.address();
  process.stdout.write(`door ${typeof address === 'object' && address ? address.port : 0}\n`);
});
process.on('SIGTERM', () => { app.close().then(() => process.exit(0), () => process.exit(1)); });
