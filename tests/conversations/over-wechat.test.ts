import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Chip, Channel, Reply } from '../../src/domain/message.ts';
import { wordsOf } from '../../src/connectors/wechat/words.ts';
import type { UnderstandingPool } from '../../src/nlp/index.ts';
import { nextId, OFFICIAL_ENV, post, pushXml, stubPlatform } from '../connectors/wechat-official/harness.ts';
import { KF, KF_ENV, kfCallback, KfPlatform } from '../connectors/wecom-kf/kf-platform.ts';
import { makeApp, shippedModel, textOf, type TestApp } from '../fakes/test-app.ts';

/** The transcripts that hold only what these channels can carry: words, choices, pictures, places. */
const Step = z.strictObject({
  say: z.string().optional(), tap: z.string().optional(), picture: z.literal(true).optional(), location: z.object({ latitude: z.number(), longitude: z.number(), label: z.string() }).optional(),
  again: z.literal(true).optional(), sees: z.array(z.object({ has: z.union([z.string(), z.array(z.string())]).optional() })).optional(), any: z.unknown().optional(), never: z.unknown().optional(),
});
type Step = z.infer<typeof Step>;
const Transcript = z.object({ title: z.string(), steps: z.array(Step), tickets: z.array(z.unknown()) });
const folder = dirname(fileURLToPath(import.meta.url));
const transcripts = readdirSync(folder).filter((name) => name.endsWith('.yml')).sort()
  .flatMap((name) => { const parsed = Transcript.safeParse(parse(readFileSync(join(folder, name), 'utf8'))); return parsed.success ? [{ name, ...parsed.data }] : []; });

describe('conversations over WeChat', () => {
  let model: UnderstandingPool;
  let made: TestApp;
  const official = stubPlatform();
  const kf = new KfPlatform();
  const inside = new Map<string, string[]>();
  beforeAll(async () => {
    model = await shippedModel();
    const fetchBoth = ((address: string, init?: RequestInit) => (address.startsWith(KF_ENV.WECOM_API_URL) ? kf.fetch : official.fetch)(address, init)) as typeof fetch;
    made = await makeApp({ understand: (text, context) => model.understand(text, context), fetch: fetchBoth, env: { ...OFFICIAL_ENV, ...KF_ENV } });
  });
  afterAll(async () => {
    await made.drop();
    await model.close();
  });

  const idsOf = (channel: Channel, who: string) => made.app.store.ensureResident(channel, channel === 'wecom-kf' ? `${KF.account}/${who}` : who, made.now());
  const lines = async (channel: Channel, who: string) => made.app.store.transcript((await idsOf(channel, who)).conversationId, { afterSeq: 0, limit: 300 });

  async function officialDoes(who: string, fields: Record<string, string>, again: boolean): Promise<void> {
    const xml = pushXml(who, { ...fields, MsgId: nextId() });
    const answers = [await post(made, xml), ...(again ? [await post(made, xml)] : [])];
    inside.set(who, [...(inside.get(who) ?? []), ...new Set(answers.map((each) => each.text).filter((text) => text !== ''))]);
  }
  async function kfDoes(who: string, item: Record<string, unknown>): Promise<void> {
    const before = (await lines('wecom-kf', who)).filter((each) => each.author === 'resident').length;
    kf.says(who, item);
    await made.app.server.inject({ method: 'POST', ...kfCallback({ now: made.now() }), headers: { 'content-type': 'text/xml' } });
    while ((await lines('wecom-kf', who)).filter((each) => each.author === 'resident').length === before) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  async function play(channel: 'wechat-official' | 'wecom-kf', who: string, step: Step): Promise<void> {
    const isOfficial = channel === 'wechat-official';
    const chips = (await lines(channel, who)).flatMap(({ body }): readonly Chip[] => ('chips' in body ? (body.chips ?? []) : []));
    const chip = chips.findLast((each) => each.label === step.tap || each.id === step.tap);
    if (step.tap !== undefined) expect(chip, `chip ${step.tap}`).toBeDefined();
    if (chip) await (isOfficial ? officialDoes(who, { Content: chip.label, bizmsgmenuid: chip.id }, false) : kfDoes(who, { msgtype: 'text', text: { content: chip.label, menu_id: chip.id } }));
    if (step.say !== undefined) await (isOfficial ? officialDoes(who, { Content: step.say }, step.again === true) : kfDoes(who, { msgtype: 'text', text: { content: step.say } }));
    if (step.picture) await (isOfficial ? officialDoes(who, { MsgType: 'image', PicUrl: 'http://x', MediaId: 'pic' }, false) : kfDoes(who, { msgtype: 'image', image: { media_id: 'pic' } }));
    if (step.location) {
      const { latitude, longitude, label } = step.location;
      await (isOfficial ? officialDoes(who, { MsgType: 'location', Location_X: String(latitude), Location_Y: String(longitude), Label: label }, false) : kfDoes(who, { msgtype: 'location', location: { latitude, longitude, name: label, address: '' } }));
    }
    await made.settle();
  }
  const sentTo = (channel: Channel, who: string): string => (channel === 'wecom-kf' ? kf.sent() : official.sent()).filter((each) => each['touser'] === who).map((each) => JSON.stringify(each)).join('\n');

  test.each(transcripts.flatMap((each) => (['wechat-official', 'wecom-kf'] as const).map((channel) => ({ ...each, channel }))))('$channel $name: $title', async ({ name, steps, tickets, channel }) => {
    const who = `w${channel === 'wecom-kf' ? 'k' : 'o'}${name.replace(/\W/g, '')}`;
    let seen = 0;
    for (const step of steps) {
      await play(channel, who, step);
      const fresh = (await lines(channel, who)).filter((each) => each.author !== 'resident' && each.body.kind !== 'system').slice(seen);
      seen += fresh.length;
      if (!step.sees) continue;
      expect(fresh.map(textOf)).toHaveLength(step.sees.length);
      for (const [index, expected] of step.sees.entries()) for (const part of [expected.has ?? []].flat()) expect(textOf(fresh[index]!)).toContain(part);
    }
    expect(await made.app.store.ticketsOfResident((await idsOf(channel, who)).residentId, 20)).toHaveLength(tickets.length);
    // Each reply reached the resident, by one way: the answer inside a callback or a message of its own.
    const reached = [...(inside.get(who) ?? []).map((text) => JSON.stringify(text)), sentTo(channel, who)].join('\n');
    for (const line of await lines(channel, who)) {
      if (line.author === 'resident' || line.body.kind === 'system') continue;
      const { text } = wordsOf(line.body as Exclude<Reply, { kind: 'image' }>);
      expect(reached.split(JSON.stringify(text).slice(1, -1)).length - 1, text).toBeGreaterThanOrEqual(1);
    }
  });

  test('most transcripts can be played here', () => expect(transcripts.length).toBeGreaterThanOrEqual(15));
});
