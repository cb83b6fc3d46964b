import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Logger, Store } from '../../domain/ports.ts';
import { failureCode, type PlatformApi } from '../wechat/platform-api.ts';
import { KfMessage, KfPage } from './kf-message.ts';

export interface SyncDeps {
  readonly store: Store;
  readonly api: PlatformApi;
  /** Stores one item; the same item again has no effect. */
  readonly keep: (message: KfMessage, openKfid: string) => Promise<void>;
  /** This process. */
  readonly owner: string;
  readonly now: () => Instant;
  readonly log: Logger;
}

/** What a callback left behind: its token opens 10 minutes of unhurried fetching. */
const Wanted = z.object({ token: z.string(), at: z.number(), id: z.string() });

const LEASE_MS = 60_000;
const TOKEN_MS = 10 * 60_000;
const PAGE = 1_000;
/** Within a page the right to it is renewed so often. */
const RENEW_EVERY = 50;
const MOST_EMPTY_PAGES = 20;
const INVALID_TOKEN = 95007;

const names = (openKfid: string) => ({ lease: `kf:${openKfid}`, cursor: `kf.cursor:${openKfid}`, wanted: `kf.wanted:${openKfid}`, done: `kf.done:${openKfid}` });

/** Noted before the callback is acknowledged: whoever takes the account next fetches. */
export function wantSync(store: Pick<Store, 'putSetting'>, openKfid: string, wanted: { readonly token: string; readonly at: Instant; readonly id: string }): Promise<void> {
  return store.putSetting(names(openKfid).wanted, JSON.stringify(wanted));
}

/** @returns whether a callback has come that nobody has fetched for yet */
export async function isSyncWanted(store: Pick<Store, 'setting'>, openKfid: string): Promise<boolean> {
  const { wanted, done } = names(openKfid);
  const asked = await store.setting(wanted);
  return asked !== null && asked !== (await store.setting(done));
}

/**
 * Fetches all there is of one account; one process at a time. The cursor is stored after the page's messages are, and only by whoever still
 * holds the account: a process killed within a page leaves the page to be fetched again, and what of it was stored is known by its msgid.
 *
 * @returns false: another process is at it
 * @throws AppError `platform.unreachable` `platform.refused`
 */
export async function syncAccount(deps: SyncDeps, openKfid: string): Promise<boolean> {
  const name = names(openKfid);
  const hold = (): Promise<boolean> => deps.store.takeLease(name.lease, deps.owner, deps.now(), LEASE_MS);
  if (!(await hold())) return false;
  try {
    const asked = await deps.store.setting(name.wanted);
    let token = tokenOf(asked, deps.now());
    for (let empty = 0; ;) {
      const cursor = (await deps.store.setting(name.cursor)) ?? '';
      const answer = await deps.api.post('/cgi-bin/kf/sync_msg', { open_kfid: openKfid, limit: PAGE, voice_format: 0, ...(cursor === '' ? {} : { cursor }), ...(token === '' ? {} : { token }) }, KfPage);
      if (!answer.ok && answer.reason === 'refused' && answer.errcode === INVALID_TOKEN && token !== '') {
        token = ''; // over its 10 minutes: fetched without it, more slowly allowed
        continue;
      }
      if (!answer.ok) throw new AppError(answer.reason === 'refused' ? 'platform.refused' : 'platform.unreachable', `sync_msg: ${failureCode('kf', answer)}`);
      const page = answer.body;
      if (!(await keepPage(deps, page.msg_list, openKfid, hold))) return false;
      if (!(await moveOn(deps, name, page.next_cursor))) return false;
      empty = page.msg_list.length === 0 ? empty + 1 : 0;
      if (page.has_more !== 1 || empty > MOST_EMPTY_PAGES) break;
    }
    if (asked !== null) await deps.store.putSetting(name.done, asked);
    return true;
  } finally {
    await deps.store.endLease(name.lease, deps.owner);
  }
}

function tokenOf(asked: string | null, now: Instant): string {
  const wanted = asked === null ? null : Wanted.safeParse(JSON.parse(asked));
  return wanted?.success === true && now - wanted.data.at < TOKEN_MS ? wanted.data.token : '';
}

async function keepPage(deps: SyncDeps, items: readonly unknown[], openKfid: string, hold: () => Promise<boolean>): Promise<boolean> {
  for (const [index, item] of items.entries()) {
    if (index % RENEW_EVERY === RENEW_EVERY - 1 && !(await hold())) return false;
    const message = KfMessage.safeParse(item);
    if (message.success) await deps.keep(message.data, openKfid);
    else deps.log.warn({ openKfid, fields: message.error.issues.map((issue) => issue.path.join('.')).slice(0, 5) }, 'kf.item_unknown');
  }
  return true;
}

/** In one transaction with the proof that the account is still ours: a process that overslept can't move the place back. */
function moveOn(deps: SyncDeps, name: ReturnType<typeof names>, cursor: string): Promise<boolean> {
  return deps.store.transaction(async (tx) => {
    if (!(await tx.takeLease(name.lease, deps.owner, deps.now(), LEASE_MS))) return false;
    if (cursor !== '') await tx.putSetting(name.cursor, cursor);
    return true;
  });
}
