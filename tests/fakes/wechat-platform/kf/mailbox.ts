import { CODES } from '../calls.ts';
import { MINUTE, type Instant, type PlatformClock } from '../clock.ts';
import type { Faults } from '../faults.ts';
import type { Ids } from '../ids.ts';
import { numberOf, textOf, type JsonObject } from '../json.ts';
import type { KfSettings } from './settings.ts';

/** One entry of `msg_list`, as it goes over the wire. */
export type KfEntry = Readonly<Record<string, unknown>> & { readonly msgid: string };

interface Kept { readonly at: Instant; readonly entry: KfEntry }

const MAX_LIMIT = 1000;
const MAX_CURSOR_BYTES = 64;
/** Empty pages in a row; without an end a caller would ask forever. */
const MAX_EMPTY = 2;

/** What sync_msg reads: everything that happened, in order, and the cursors into it. */
export class Mailbox {
  readonly #kept: Kept[] = [];
  readonly #tokens = new Map<string, Instant>();
  readonly #settings: KfSettings;
  readonly #clock: PlatformClock;
  readonly #faults: Faults;
  readonly #ids: Ids;
  /** Part of every cursor: one of another platform is told from ours. */
  readonly #run: string;
  #pages = 0;
  #empty = 0;
  #withoutToken: Instant[] = [];

  constructor(settings: KfSettings, parts: { readonly clock: PlatformClock; readonly faults: Faults; readonly ids: Ids }) {
    this.#settings = settings;
    this.#clock = parts.clock;
    this.#faults = parts.faults;
    this.#ids = parts.ids;
    this.#run = parts.ids.word(8);
  }

  add(entry: KfEntry): void {
    this.#kept.push({ at: this.#clock.now(), entry });
  }

  /** Everything there ever was, for records. */
  get entries(): readonly KfEntry[] {
    return this.#kept.map(({ entry }) => entry);
  }

  /** The Token of one callback. */
  issueToken(): string {
    const token = `ENC${this.#ids.word(40)}`;
    this.#tokens.set(token, this.#clock.now() + this.#settings.messageTokenMs);
    return token;
  }

  /** /cgi-bin/kf/sync_msg: `{ cursor?, token?, limit?, voice_format?, open_kfid }`. */
  sync(body: JsonObject): object {
    if (textOf(body, 'open_kfid') !== this.#settings.openKfId) return CODES.badKfId;
    const limit = body['limit'] === undefined ? MAX_LIMIT : (numberOf(body, 'limit') ?? -1);
    const start = this.#position(textOf(body, 'cursor'));
    if (start === undefined || !Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) return CODES.badParameter;
    const refusal = this.#refuse(textOf(body, 'token'));
    if (refusal !== undefined) return refusal;
    if (this.#isEmptyPage()) return this.#page(start, [], true);
    const oldest = this.#clock.now() - this.#settings.retentionMs;
    const first = Math.max(start, this.#kept.findIndex(({ at }) => at >= oldest) < 0 ? this.#kept.length : this.#kept.findIndex(({ at }) => at >= oldest));
    const slice = this.#kept.slice(first, first + limit).map(({ entry }) => entry);
    return this.#page(first + slice.length, slice, first + slice.length < this.#kept.length);
  }

  #page(position: number, list: readonly KfEntry[], more: boolean): object {
    return { errcode: 0, errmsg: 'ok', next_cursor: `${position}.${this.#run}.${this.#ids.word(24)}`, has_more: more ? 1 : 0, msg_list: list };
  }

  /** Cursors never run out; the same one again reads the same again. */
  #position(cursor: string): number | undefined {
    if (cursor === '') return 0;
    const found = /^(\d{1,12})\.([A-Za-z\d]{8})\.[A-Za-z\d]{24}$/.exec(cursor);
    const position = Number(found?.[1] ?? NaN);
    if (found?.[2] === this.#run && position <= this.#kept.length) return position;
    return this.#settings.foreignCursors === 'from_start' && cursor.length <= MAX_CURSOR_BYTES ? 0 : undefined;
  }

  #refuse(token: string): object | undefined {
    const now = this.#clock.now();
    if (token !== '') return (this.#tokens.get(token) ?? 0) > now ? undefined : CODES.badMessageToken;
    this.#withoutToken = [...this.#withoutToken.filter((at) => at > now - MINUTE), now];
    return this.#withoutToken.length > this.#settings.syncsWithoutToken ? CODES.tooFrequent : undefined;
  }

  #isEmptyPage(): boolean {
    const empty = this.#faults.strikes('emptyPage', String(++this.#pages)) && this.#empty < MAX_EMPTY;
    this.#empty = empty ? this.#empty + 1 : 0;
    return empty;
  }
}
