import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { CardField, Chip, Reply } from '../domain/message.ts';
import type { LineState, MessageLine, ServerFrame } from '../web/shared/chat-client.ts';
import type { Resident } from './chat-resident.ts';

const INTRO = '直接输入要说的话；输入编号点选；/图 文件路径 发图片；/人工 转人工；/退出 结束。\n';
const NAMES = { resident: '我', bot: '即办', operator: '坐席', system: '12345' } as const;
const LINE: Readonly<Record<LineState, string>> = { connecting: '', online: '（已连接）\n', offline: '（网络不通，正在重新连接；可以继续输入）\n' };

/** The page, drawn as text: chips are numbered, cards are lists. */
export class ChatTerminal {
  readonly #resident: Resident;
  readonly #output: Writable;
  readonly #readline: Interface;
  #chips: readonly Chip[] = [];
  #line: LineState = 'connecting';

  constructor(resident: Resident, input: Readable, output: Writable) {
    this.#resident = resident;
    this.#output = output;
    this.#readline = createInterface({ input, output, prompt: '> ' });
  }

  async run(): Promise<void> {
    this.#output.write(INTRO);
    this.#resident.start({
      frame: (frame) => this.#show(frame),
      line: (state) => { if (state !== this.#line) this.#print(LINE[state]); this.#line = state; },
      pending: () => undefined,
    });
    for await (const line of this.#readline) {
      if (line.trim() === '/退出') break;
      await this.#obey(line.trim());
      this.#readline.prompt();
    }
    this.#readline.close();
    this.#resident.stop();
  }

  async #obey(line: string): Promise<void> {
    const chip = /^\d{1,2}$/.test(line) ? this.#chips[Number(line) - 1] : undefined;
    if (line === '') return;
    if (chip) return this.#resident.say({ t: 'tap', chip: chip.id, label: chip.label });
    if (line === '/人工') return this.#resident.say({ t: 'tap', chip: 'human', label: '转人工' });
    if (line.startsWith('/图 ')) return this.#sendPicture(line.slice(3).trim());
    this.#resident.say({ t: 'say', text: line });
  }

  async #sendPicture(path: string): Promise<void> {
    try {
      this.#resident.say({ t: 'image', mediaId: await this.#resident.upload(path) });
    } catch (error) {
      this.#print(`！图片没有发出：${(error as Error).message}\n`);
    }
  }

  #show(frame: ServerFrame): void {
    if (frame.t === 'error') return this.#print(`！${frame.text}\n`);
    if (frame.t === 'mode' && frame.mode !== 'bot') return this.#print(frame.mode === 'operator' ? '（人工坐席已接入）\n' : '（正在转接人工）\n');
    if (frame.t !== 'message' || frame.body.kind === 'system') return;
    if (frame.from === 'resident') { this.#chips = []; return; }
    this.#print(this.#draw(frame));
  }

  #draw(line: MessageLine): string {
    const reply = line.body as Reply;
    if ('chips' in reply && reply.chips && reply.chips.length > 0) this.#chips = [...this.#chips, ...reply.chips].slice(-30);
    const first = this.#chips.length - ('chips' in reply ? reply.chips?.length ?? 0 : 0);
    const chips = ('chips' in reply ? reply.chips ?? [] : []).map((chip, index) => `[${first + index + 1}] ${chip.label}`).join('  ');
    return [`${line.name ?? NAMES[line.from]}：${reply.text}`, ...drawCard(reply), ...(chips === '' ? [] : [chips])].join('\n') + '\n';
  }

  /** Above what is being typed, which is drawn again. */
  #print(text: string): void {
    if (text === '') return;
    this.#output.write(`\r\x1b[K${text}`);
    this.#readline.prompt(true);
  }
}

function drawCard(reply: Reply): string[] {
  switch (reply.kind) {
    case 'text': return [];
    case 'emergency': return reply.numbers.map((number) => `  ☎ ${number}`);
    case 'understood': return box(reply.card.fields);
    case 'ticket': return [
      `  ┌ 工单 ${reply.card.number}〔${reply.card.statusName}〕${reply.card.typeName}`,
      `  │ 承办单位：${reply.card.unitName ?? '正在确定'}`,
      `  │ 办结期限：${clock(reply.card.dueAt)}`,
      ...reply.card.timeline.map((entry) => `  │ ${clock(entry.at)} ${entry.text}`),
      '  └',
    ];
    case 'image': return ['  （图片）'];
    default: return reply satisfies never;
  }
}

const box = (fields: readonly CardField[]): string[] => [
  '  ┌ 我这样理解', ...fields.map((field) => `  │ ${field.label}：${field.value || '还不清楚'}`), '  └',
];

const clock = (at: number): string => new Date(at).toLocaleString('zh-CN', { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false });
