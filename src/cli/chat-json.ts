import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import type { Draft, Resident } from './chat-resident.ts';

const Place = z.object({ latitude: z.number().optional(), longitude: z.number().optional(), lat: z.number().optional(), lng: z.number().optional(), label: z.string().default('') })
  .transform(({ latitude, longitude, lat, lng, label }, context) => {
    const [at, on] = [latitude ?? lat, longitude ?? lng];
    if (at === undefined || on === undefined) { context.addIssue('latitude and longitude are needed'); return z.NEVER; }
    return { latitude: at, longitude: on, label };
  });

const Command = z.union([
  z.strictObject({ say: z.string() }),
  z.strictObject({ tap: z.string().min(1) }),
  z.strictObject({ image: z.string().min(1) }),
  z.strictObject({ location: Place }),
  z.strictObject({ edit: z.object({ target: z.string().optional(), field: z.enum(['type', 'address', 'description']), value: z.string() }) }),
]);
type Command = z.infer<typeof Command>;

/** Always in reach on the page, so here too. */
const HUMAN = { id: 'human', label: '转人工' };

const QUIET_AFTER_ANSWER_MS = 1_500;
const QUIET_BEFORE_TAP_MS = 300;
const TAP_WAITS_MS = 15_000;
const LOOK_MS = 50;

/** One JSON object a line, both ways. Standard output carries nothing else. */
export class JsonResident {
  readonly #resident: Resident;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #waitMs: number;
  #saidSomething = false;

  constructor(resident: Resident, input: Readable, output: Writable, waitMs: number) {
    this.#resident = resident;
    this.#input = input;
    this.#output = output;
    this.#waitMs = waitMs;
  }

  /** @returns the exit status: 1 if something said never reached the server */
  async run(): Promise<0 | 1> {
    this.#resident.start({
      // A line of kind `system` is the city's side prompting its own bot: no page shows it.
      frame: (frame) => { if (frame.t !== 'pong' && !(frame.t === 'message' && frame.body.kind === 'system')) this.#print(frame); },
      line: (state) => { if (state === 'offline') process.stderr.write('no line to the server; trying again\n'); },
      pending: (list) => { for (const each of list) if (each.state === 'failed') queueMicrotask(() => this.#resident.forget(each.frame.id)); },
    });
    for await (const line of createInterface({ input: this.#input, crlfDelay: Infinity })) if (line.trim() !== '') await this.#obey(line);
    await this.#until(() => this.#resident.isAnswered(QUIET_AFTER_ANSWER_MS), this.#waitMs);
    const { unsent } = this.#resident;
    for (const { frame } of unsent) this.#print({ t: 'error', code: 'message.unsent', text: '消息没有送达，服务器没有确认收到。', id: frame.id });
    this.#resident.stop();
    return unsent.length === 0 ? 0 : 1;
  }

  async #obey(line: string): Promise<void> {
    try {
      this.#say(await this.#toDraft(parseCommand(line)));
    } catch (error) {
      const { message, code } = error as Error & { code?: unknown };
      this.#print({ t: 'error', code: typeof code === 'string' ? code : 'message.invalid', text: message, input: line.slice(0, 200) });
    }
  }

  #say(draft: Draft): void {
    this.#saidSomething = true;
    this.#resident.say(draft);
  }

  async #toDraft(command: Command): Promise<Draft> {
    if ('say' in command) return { t: 'say', text: command.say };
    if ('location' in command) return { t: 'location', ...command.location };
    if ('image' in command) {
      await this.#until(() => this.#resident.isConnected, TAP_WAITS_MS);
      return { t: 'image', mediaId: await this.#resident.upload(command.image) };
    }
    // What is tapped or changed is usually in the answer to what was said before.
    if (this.#saidSomething) await this.#until(() => this.#resident.isAnswered(QUIET_BEFORE_TAP_MS), TAP_WAITS_MS);
    return 'tap' in command ? this.#tap(command.tap) : this.#edit(command.edit);
  }

  #tap(wanted: string): Draft {
    const chip = this.#resident.findChip(wanted) ?? (wanted === HUMAN.label || wanted === HUMAN.id ? HUMAN : { id: wanted, label: wanted });
    return { t: 'tap', chip: chip.id, label: chip.label };
  }

  #edit(edit: { target?: string | undefined; field: 'type' | 'address' | 'description'; value: string }): Draft {
    const target = edit.target ?? this.#resident.cardTarget;
    if (target === undefined) throw new Error('no card to edit yet; name a target');
    return { t: 'edit', target, field: edit.field, value: this.#resident.choiceValue(edit.field, edit.value) };
  }

  async #until(isSo: () => boolean, withinMs: number): Promise<void> {
    for (const end = Date.now() + withinMs; !isSo() && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  #print(value: object): void {
    this.#output.write(`${JSON.stringify(value)}\n`);
  }
}

function parseCommand(line: string): Command {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('not a JSON object');
  }
  const parsed = Command.safeParse(value);
  if (!parsed.success) throw new Error('one of {"say"} {"tap"} {"image"} {"location":{"latitude","longitude","label"}} {"edit":{"field","value"}} is needed');
  return parsed.data;
}
