import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { TranscriptMessage } from '../../src/domain/message.ts';
import type { Ticket, TicketCommand } from '../../src/domain/ticket.ts';
import { SPECIAL_KEYS } from '../../src/domain/special-ways.ts';
import type { DeskDeps } from '../../src/desk/deps.ts';
import { tellSpecialWay } from '../../src/desk/tell-special-way.ts';
import type { User } from '../../src/domain/desk.ts';
import type { UnderstandingPool } from '../../src/nlp/index.ts';
import { makeApp, shippedModel, textOf, type TestApp, type TestResident } from '../fakes/test-app.ts';
import { ENGINES } from '../fakes/test-store.ts';

/**
 * Whole conversations, played against the shipped model and the real store. A transcript is a list of steps: what somebody does, and
 * what the resident then sees. `sees` lists replies in order; each names what must stand in the text (and `not`, what must not),
 * and may name its kind, author and chips.
 */
const Seen = z.strictObject({
  has: z.union([z.string(), z.array(z.string())]).optional(), not: z.union([z.string(), z.array(z.string())]).optional(),
  kind: z.enum(['text', 'emergency', 'understood', 'ticket', 'image']).optional(), from: z.enum(['bot', 'operator', 'system']).optional(), chips: z.array(z.string()).optional(),
});
const Step = z.strictObject({
  say: z.string().optional(), tap: z.string().optional(), picture: z.literal(true).optional(),
  location: z.strictObject({ latitude: z.number(), longitude: z.number(), label: z.string() }).optional(),
  edit: z.strictObject({ field: z.enum(['type', 'address', 'description']), value: z.string() }).optional(),
  unit: z.strictObject({ accept: z.literal(true).optional(), progress: z.string().optional(), resolve: z.string().optional(), return: z.string().optional() }).optional(),
  operator: z.strictObject({ claim: z.literal(true).optional(), say: z.string().optional(), hand_back: z.literal(true).optional(), tell: z.enum(SPECIAL_KEYS).optional() }).optional(),
  minutes_later: z.number().optional(), again: z.literal(true).optional(), offline: z.array(z.string()).optional(),
  /** Everything that comes, in order; `any`: among others. */
  sees: z.array(Seen).optional(), any: z.array(Seen).optional(), never: z.string().optional(),
});
const Expected = z.strictObject({
  type: z.union([z.string(), z.array(z.string())]).optional(), status: z.string().optional(), urgency: z.string().optional(), address: z.string().optional(), unit: z.string().optional(),
  community: z.string().optional(), pictures: z.number().optional(), reopened: z.number().optional(), nature: z.string().optional(), disposition: z.string().optional(),
});
const Transcript = z.strictObject({
  title: z.string(), steps: z.array(Step), tickets: z.array(Expected), mode: z.enum(['bot', 'waiting', 'operator']).default('bot'), reason: z.string().optional(),
});
type TranscriptFile = z.infer<typeof Transcript>;

const folder = dirname(fileURLToPath(import.meta.url));
const transcripts = readdirSync(folder).filter((name) => name.endsWith('.yml')).sort()
  .map((name) => ({ name, transcript: Transcript.parse(parse(readFileSync(join(folder, name), 'utf8'))) }));

describe.each(ENGINES)('conversations on %s', (engine) => {
  let model: UnderstandingPool;
  let made: TestApp;
  beforeAll(async () => {
    model = await shippedModel();
    made = await makeApp({ engine, understand: (text, context) => model.understand(text, context) });
  });
  afterAll(async () => {
    await made.drop();
    await model.close();
  });

  test.each(transcripts)('$name: $transcript.title', async ({ transcript }) => {
    await play(made, transcript);
  });
});

test('there are at least 25 transcripts', () => {
  expect(transcripts.length).toBeGreaterThanOrEqual(25);
});

test('no transcript is played with a line the model was trained on, bare courtesies and button words apart', () => {
  const trainingFolder = join(folder, '..', '..', 'models', 'training', 'data');
  const files = readdirSync(trainingFolder).filter((name) => name.endsWith('.jsonl')).map((name) => join(trainingFolder, name));
  const chat = join(folder, '..', '..', '..', 'shared', 'data', 'messages', 'chat.jsonl');
  if (existsSync(chat)) files.push(chat);
  const trained = new Set(files.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { text: string }).text)));
  const lines = transcripts.flatMap(({ transcript }) => transcript.steps.flatMap((step) => [step.say ?? '', ...(step.offline ?? [])]));
  expect(trained.size).toBeGreaterThan(1_000);
  expect(lines.filter((line) => [...line].length > 4 && trained.has(line))).toEqual([]);
});

async function play(made: TestApp, transcript: TranscriptFile): Promise<void> {
  const resident = await made.resident();
  const story: string[] = [];
  for (const step of transcript.steps) {
    const came = await doStep(made, resident, step);
    story.push(`> ${JSON.stringify({ ...step, sees: undefined, any: undefined })}`, ...came.map((each) => `  [${each.author}/${each.body.kind}] ${textOf(each)} ${chipLabels(each).join('|')}`));
    const told = `\n${story.join('\n')}\n`;
    if (step.sees) {
      expect(came.length, `number of replies${told}`).toBe(step.sees.length);
      for (const [index, seen] of step.sees.entries()) expect(fits(came[index], seen), `reply ${index + 1} should fit ${JSON.stringify(seen)}${told}`).toBe(true);
    }
    for (const seen of step.any ?? []) expect(came.some((each) => fits(each, seen)), `some reply should fit ${JSON.stringify(seen)}${told}`).toBe(true);
    if (step.never !== undefined) expect(came.every((each) => !textOf(each).includes(step.never ?? '')), `nothing should say ${step.never}${told}`).toBe(true);
  }
  const told = `\n${story.join('\n')}\n`;
  const tickets = await resident.tickets();
  expect(tickets.length, `tickets ${tickets.map((each) => each.type).join()}${told}`).toBe(transcript.tickets.length);
  for (const [index, expected] of transcript.tickets.entries()) checkTicket(tickets[index], expected, told);
  const conversation = await resident.conversation();
  expect(conversation?.mode, `mode${told}`).toBe(transcript.mode);
  if (transcript.reason !== undefined) expect(conversation?.handoff?.reason, `reason of hand-over${told}`).toBe(transcript.reason);
}

async function doStep(made: TestApp, resident: TestResident, step: z.infer<typeof Step>): Promise<readonly TranscriptMessage[]> {
  if (step.minutes_later !== undefined) {
    made.later(step.minutes_later * 60_000);
    await new Promise((resolve) => setTimeout(resolve, 600)); // one poll of the loops at the new time
    return resident.sees();
  }
  if (step.say !== undefined && step.again) {
    await resident.does({ kind: 'text', text: step.say }, 'same');
    await resident.does({ kind: 'text', text: step.say }, 'same');
    return resident.sees();
  }
  if (step.offline) {
    // Typed while away, sent together on return.
    await Promise.all(step.offline.map((text, index) => resident.does({ kind: 'text', text }, `off-${index}`)));
    return resident.sees();
  }
  if (step.say !== undefined) return resident.says(step.say);
  if (step.tap !== undefined) return resident.taps(step.tap);
  if (step.picture) return resident.sendsPicture();
  if (step.location) return resident.does({ kind: 'location', ...step.location });
  if (step.edit) return resident.does({ kind: 'edit', target: await editTarget(resident), field: step.edit.field, value: step.edit.value });
  if (step.unit) return unitStep(resident, step.unit);
  if (step.operator) return operatorStep(made, resident, step.operator);
  return resident.sees();
}

async function editTarget(resident: TestResident): Promise<string> {
  const cards = (await resident.transcript()).flatMap((message) => ('card' in message.body ? [message.body.card.target] : []));
  return cards.at(-1) ?? 'none';
}

async function unitStep(resident: TestResident, step: NonNullable<z.infer<typeof Step>['unit']>): Promise<readonly TranscriptMessage[]> {
  const ticket = (await resident.tickets()).at(-1);
  if (!ticket) throw new Error('no ticket for a unit to act on');
  const command: TicketCommand = step.accept ? { do: 'accept' } : step.progress !== undefined ? { do: 'progress', note: step.progress }
    : step.resolve !== undefined ? { do: 'resolve', answer: step.resolve } : { do: 'return', reason: step.return ?? '', decideBy: Date.now() + 3_600_000 };
  return resident.unitDoes(ticket.id, command);
}

async function operatorStep(made: TestApp, resident: TestResident, step: NonNullable<z.infer<typeof Step>['operator']>): Promise<readonly TranscriptMessage[]> {
  await made.app.store.transaction(async (tx) => {
    const conversation = await tx.conversation(resident.ids.conversationId, 'lock');
    if (!conversation) throw new Error('no conversation');
    if (step.claim) await tx.saveConversation({ ...conversation, mode: 'operator', operatorId: 'op' as never });
    if (step.hand_back) await tx.saveConversation({ ...conversation, mode: 'bot', operatorId: null, handoff: null, waitingSince: null, waitingUntil: null });
    if (step.say !== undefined) await tx.say(conversation, [{ author: 'operator', authorName: '小李', body: { kind: 'text', text: step.say }, idempotencyKey: `op:${Math.random()}` }], made.now(), 'op');
  });
  if (step.tell !== undefined) {
    const { store, coordination } = made.app;
    await tellSpecialWay({ store, coordination, now: made.now, newId: randomUUID } as unknown as DeskDeps, { id: 'op', name: '小李' } as User, resident.ids.conversationId, { outcome: step.tell, key: randomUUID() });
  }
  return resident.sees();
}

const list = (value: string | string[] | undefined): readonly string[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
const chipLabels = (message: TranscriptMessage): readonly string[] => ('chips' in message.body ? (message.body.chips ?? []).map((chip) => chip.label) : []);

function fits(message: TranscriptMessage | undefined, seen: z.infer<typeof Seen>): boolean {
  if (!message) return false;
  const text = textOf(message);
  return list(seen.has).every((part) => text.includes(part)) && list(seen.not).every((part) => !text.includes(part))
    && (seen.kind === undefined || message.body.kind === seen.kind) && (seen.from === undefined || message.author === seen.from)
    && (seen.chips ?? []).every((label) => chipLabels(message).includes(label));
}

function checkTicket(ticket: Ticket | undefined, expected: z.infer<typeof Expected>, told: string): void {
  expect(ticket, told).toBeDefined();
  if (!ticket) return;
  if (expected.type !== undefined) expect(list(expected.type), `type ${ticket.type}${told}`).toContain(ticket.type);
  if (expected.status !== undefined) expect(ticket.state.status, `status${told}`).toBe(expected.status);
  if (expected.urgency !== undefined) expect(ticket.urgency, `urgency${told}`).toBe(expected.urgency);
  if (expected.address !== undefined) expect(ticket.address.text, `address${told}`).toContain(expected.address);
  if (expected.unit !== undefined) expect(ticket.unitId, `unit${told}`).toContain(expected.unit);
  if (expected.community !== undefined) expect(ticket.address.place?.community, `community${told}`).toBe(expected.community);
  if (expected.pictures !== undefined) expect(ticket.media.length, `pictures${told}`).toBe(expected.pictures);
  if (expected.reopened !== undefined) expect(ticket.reopened, `reopened${told}`).toBe(expected.reopened);
  if (expected.nature !== undefined) expect(ticket.nature, `nature${told}`).toBe(expected.nature);
  if (expected.disposition !== undefined) expect(ticket.disposition, `disposition${told}`).toBe(expected.disposition);
}
