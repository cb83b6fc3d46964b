import type { ConversationView, PageOf, QueueLine, TicketSummary, TicketView } from '../desk/views.ts';
import type { MessageLine } from '../connectors/web/protocol.ts';
import type { Chip } from '../domain/message.ts';
import type { PlaceCandidate } from '../domain/understanding.ts';
import type { DemoDesk } from './demo-desk.ts';
import type { DemoResident } from './demo-resident.ts';

/** Prints the story; `pause` slows it down for those who watch. */
export interface Teller {
  chapter(title: string): void;
  line(who: string, side: 'resident' | 'bot' | 'operator' | 'unit' | 'story', text: string): void;
  pause(): Promise<void>;
}

export interface Cast {
  readonly aunt: DemoResident;
  readonly uncle: DemoResident;
  readonly admin: DemoDesk;
  readonly teller: Teller;
}

const LOOK_EVERY_MS = 150;
const STEP_WITHIN_MS = 30_000;
const BURST = '你好，西罗园第二社区12号楼门口的自来水管爆了，水喷得有一人高，整栋楼都停水了';
const UNCLEAR = ['老地方又不行了，你们快管管吧', '就是上回那个事儿，还是那样'] as const;

/** Waits until `look` sees it. @throws Error naming what did not happen */
export async function until<T>(what: string, look: () => Promise<T | null | undefined | false> | T | null | undefined | false): Promise<T> {
  const giveUpAt = Date.now() + STEP_WITHIN_MS;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (Date.now() > giveUpAt) throw new Error(`等了 ${STEP_WITHIN_MS / 1000} 秒，没有等到：${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The burst pipe of building 12, from the first word to the last answer. @returns the two ticket numbers */
export async function tellStory({ aunt, uncle, admin, teller }: Cast): Promise<readonly [string, string]> {
  const staff: string[] = [];
  const employ = async (account: Parameters<DemoDesk['employ']>[0]): Promise<DemoDesk> => {
    const { desk, userId } = await admin.employ(account);
    staff.push(userId);
    return desk;
  };
  try {
    teller.chapter('一、水管爆了');
    await Promise.all([aunt.arrive(), uncle.arrive()]);
    await until('两位居民连上聊天', () => aunt.isThere && uncle.isThere);
    const first = await reportClearly(teller, aunt);
    const operator = await employ({ login: 'demo-operator', name: '接线员小王', roles: ['operator', 'dispatcher'], unitId: null });

    teller.chapter('二、说不清楚的邻居');
    const second = await reportUnclearly(teller, uncle, operator);

    teller.chapter('三、抢修');
    const dispatched = await Promise.all([first, second].map((number) => dispatchedTo(teller, operator, number)));
    const units = new Map<string, DemoDesk>();
    for (const { unitId, unitName } of dispatched) {
      if (!units.has(unitId)) units.set(unitId, await employ({ login: loginOf(unitId), name: `${unitName}抢修班`, roles: ['unit'], unitId }));
    }
    const unitOf = (at: 0 | 1): DemoDesk => units.get(dispatched[at]?.unitId ?? '') ?? fail('没有承办单位的账号');
    await repair(teller, unitOf(0), first, aunt, ['抢修队已到现场，正在关闭主管阀门。', '挖开路面，爆裂的是一段老铸铁管，正在更换。', '新管已接好，正在冲洗、试压，预计半小时后恢复供水。'],
      '已更换爆裂的铸铁主管 4 米，试压合格，12 号楼全楼恢复供水，路面已回填。');
    await repair(teller, unitOf(1), second, uncle, ['与同楼另一张工单为同一处爆管，正在一并抢修。'], '爆裂主管已更换，您家恢复供水；若水黄，请放水五分钟。');

    teller.chapter('四、回访');
    await followUp(teller, aunt, operator, first);
    await followUp(teller, uncle, operator, second);
    return [first, second];
  } finally {
    aunt.leave();
    uncle.leave();
    for (const userId of staff) await admin.dismiss(userId);
  }
}

const fail = (why: string): never => { throw new Error(why); };
const loginOf = (unitId: string): string => `demo-${unitId.toLowerCase().replace(/[^a-z0-9.-]/g, '-')}`.slice(0, 32);

async function speak(teller: Teller, who: DemoResident, text: string): Promise<number> {
  const before = who.seq;
  teller.line(who.name, 'resident', text);
  const stored = who.say(text);
  await until(`${who.name}的话被收下`, () => who.refused !== null ? fail(`${who.name}的话没有被收下：${who.refused}`) : stored());
  await until(`${who.name}的话出现在对话里`, () => who.seq > before);
  await teller.pause();
  return before;
}

async function tap(teller: Teller, who: DemoResident, chip: Chip): Promise<number> {
  const before = who.seq;
  teller.line(who.name, 'resident', `〔${chip.label}〕`);
  const stored = who.tap(chip);
  await until(`${who.name}的点选被收下`, stored);
  await teller.pause();
  return before;
}

const ticketCardIn = (lines: readonly MessageLine[]) => lines.flatMap(({ body }) => (body.kind === 'ticket' ? [body.card] : []))[0];

/** Tells it once; should the bot still ask, its first proposal is taken. */
async function reportClearly(teller: Teller, who: DemoResident): Promise<string> {
  let before = await speak(teller, who, BURST);
  for (let questions = 0; questions < 4; questions += 1) {
    const after = before;
    await until('即办回答', () => who.repliesAfter(after).some((line) => line.from === 'bot'));
    const card = ticketCardIn(who.repliesAfter(before));
    if (card) return card.number;
    const chip = who.chipsAfter(before).find((each) => each.id !== 'human') ?? fail(`即办没有立单，也没有给出可点的回答`);
    before = await tap(teller, who, chip);
  }
  return fail('问了四次还没有立单');
}

/** Says nothing one could work with until a person is called; if the bot still hopes, asks for one. */
async function reportUnclearly(teller: Teller, who: DemoResident, operator: DemoDesk): Promise<string> {
  for (const text of [...UNCLEAR, '转人工']) {
    const before = await speak(teller, who, text);
    await until('即办回答', () => who.repliesAfter(before).length > 0 || who.mode !== 'bot');
    const waits = await waiting(operator, who);
    if (waits) return serve(teller, who, operator, waits);
  }
  return serve(teller, who, operator, await until('会话进入人工队列', () => waiting(operator, who)));
}

/** The resident's own line in the queue: the one whose transcript ends with what was just said. */
async function waiting(operator: DemoDesk, who: DemoResident): Promise<ConversationView | null> {
  if (who.mode === 'bot' && !who.repliesAfter(0).some((line) => /人工|接线员|坐席/.test(line.body.text))) return null;
  let cursor: string | null = null;
  do {
    const page: PageOf<QueueLine> = await operator.get(`/queue?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const line of page.items) {
      if (line.mode !== 'waiting') continue;
      const view: ConversationView = await operator.get(`/conversations/${line.conversationId}`);
      if (view.messages.some((message) => who.repliesAfter(0).some((own) => own.id === message.id))) return view;
    }
    cursor = page.next;
  } while (cursor !== null);
  return null;
}

async function serve(teller: Teller, who: DemoResident, operator: DemoDesk, view: ConversationView): Promise<string> {
  const at = `/conversations/${view.id}`;
  teller.line('队列', 'story', `${who.name}在等人工。原因：${view.handoff?.note || view.handoff?.reason || ''}`);
  await operator.post(`${at}/claim`);
  teller.line(operator.name, 'operator', '（接入会话，机器人不再说话）');
  await teller.pause();
  const say = async (text: string): Promise<void> => {
    const before = who.seq;
    await operator.post(`${at}/say`, { text, key: `demo-${Date.now()}-${Math.round(Math.random() * 1e9)}` });
    await until(`${who.name}看到接线员的话`, () => who.repliesAfter(before).some((line) => line.from === 'operator'));
    await teller.pause();
  };
  await say('张师傅您好，您慢慢说：是什么事，在哪栋楼？');
  await speak(teller, who, '就是水管子啊，爆了，我家没水了。西罗园第二社区12号楼');
  const heard = who.seq;
  await operator.post(`${at}/redraft`, { words: null });
  const { draft } = await operator.get<ConversationView>(at);
  if (!draft) return fail('没有生成草稿');
  const { items } = await operator.get<{ items: PlaceCandidate[] }>(`/places?text=${encodeURIComponent('西罗园第二社区')}`);
  const place = items[0] ?? fail('查不到西罗园第二社区');
  const changes = { type: 'utilities.water', urgency: 'h24', address: { text: '西罗园第二社区12号楼', building: '12号楼', place: place.place, label: place.label } };
  const ticket = await operator.post<TicketSummary>(`${at}/open`, { draftId: draft.id, changes, description: '西罗园第二社区12号楼自来水管爆裂，居民家中无水。' });
  teller.line(operator.name, 'operator', `（更正为「${ticket.typeName}」，开单 ${ticket.number}）`);
  await until(`${who.name}得知开单`, () => who.repliesAfter(heard).some((line) => line.body.text.includes(spaced(ticket.number)) || line.body.text.includes(ticket.number)));
  await say('已为您开单，抢修队在路上了，有进展会自动告诉您。');
  const before = who.seq;
  await operator.post(`${at}/hand-back`);
  teller.line(operator.name, 'operator', '（交还机器人）');
  await until('会话回到机器人', () => who.mode === 'bot' || who.repliesAfter(before).some((line) => line.from === 'system'));
  return ticket.number;
}

const spaced = (number: string): string => `${number.slice(0, 6)}-${number.slice(6)}`;

async function dispatchedTo(teller: Teller, operator: DemoDesk, number: string): Promise<{ unitId: string; unitName: string }> {
  const ticket = await until(`工单 ${number} 派出`, async () => {
    const seen = await operator.get<TicketView>(`/tickets/${number}`);
    if (seen.status === 'unrouted') return fail(`工单 ${number} 没有找到承办单位：${seen.timeline.at(-1)?.text ?? ''}`);
    return seen.status === 'dispatched' && seen;
  });
  const { unitId, unitName } = ticket;
  if (unitId === null || unitName === null) return fail(`工单 ${number} 没有承办单位`);
  teller.line('系统', 'story', `工单 ${number}（${ticket.typeName}）派给${unitName}：${ticket.timeline.at(-1)?.text ?? ''}`);
  await teller.pause();
  return { unitId, unitName };
}

async function repair(teller: Teller, unit: DemoDesk, number: string, who: DemoResident, notes: readonly string[], answer: string): Promise<void> {
  const act = async (verb: string, body: object | undefined, told: string, says: string): Promise<void> => {
    const before = who.seq;
    teller.line(unit.name, 'unit', `${number} ${says}`);
    await unit.post(`/tickets/${number}/${verb}`, body);
    await until(`${who.name}得知${says}`, () => who.repliesAfter(before).some((line) => line.body.text.includes(told)));
    await teller.pause();
  };
  await act('accept', undefined, '已接单', '接单');
  for (const note of notes) await act('progress', { note, media: [] }, note, note);
  await act('resolve', { answer }, answer, `办结：${answer}`);
}

/** Yes to whatever is asked, until the ticket is archived as solved. */
async function followUp(teller: Teller, who: DemoResident, operator: DemoDesk, number: string): Promise<void> {
  let answered = 0;
  for (let questions = 0; questions < 3; questions += 1) {
    const yes = await until(`回访${who.name}的第 ${questions + 1} 问`, () => {
      const asked = who.repliesAfter(answered).filter((line) => 'chips' in line.body && line.body.chips?.some((chip) => YES.includes(chip.label))).at(-1);
      return asked && 'chips' in asked.body && asked.body.chips?.find((chip) => YES.includes(chip.label));
    });
    answered = await tap(teller, who, yes);
  }
  await until(`工单 ${number} 归档`, async () => {
    const ticket = await operator.get<TicketView>(`/tickets/${number}`);
    return ticket.status === 'archived';
  });
  teller.line('系统', 'story', `工单 ${number} 已归档：联系过、解决了、满意。`);
}
const YES: readonly string[] = ['联系过', '解决了', '满意'];
