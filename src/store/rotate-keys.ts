import type { Kysely } from 'kysely';
import { AppError, isAppError } from '../domain/errors.ts';
import type { Tables } from './database.ts';
import type { Keyring } from './keyring.ts';

const PAGE = 500;

interface KeyRow { readonly resident_id: string; readonly wrapped: string; readonly master_id: string }

/** Resident keys not yet under the active master. */
export async function countOldKeys(db: Kysely<Tables>, keyring: Keyring): Promise<number> {
  const row = await db.selectFrom('resident_keys').select((eb) => eb.fn.countAll<number>().as('n')).where('master_id', '!=', keyring.activeId).executeTakeFirstOrThrow();
  return Number(row.n);
}

/**
 * Wraps every resident key under the active master, a page a transaction. May be stopped and run again; a resident erased meanwhile
 * stays erased, because a key is only ever replaced where the old one still stands.
 */
export async function wrapAnew(db: Kysely<Tables>, keyring: Keyring, onPage: (done: number) => void = () => undefined): Promise<number> {
  let done = 0;
  let after = '';
  for (;;) {
    const page: readonly KeyRow[] = await db.selectFrom('resident_keys').selectAll().where('master_id', '!=', keyring.activeId).where('resident_id', '>', after).orderBy('resident_id').limit(PAGE).execute();
    const last = page.at(-1);
    if (!last) return done;
    await db.transaction().execute(async (tx) => {
      for (const row of page) {
        const { wrapped, masterId } = keyring.wrap(row.resident_id, keyring.unwrap(row.resident_id, row.wrapped, row.master_id));
        await tx.updateTable('resident_keys').set({ wrapped, master_id: masterId }).where('resident_id', '=', row.resident_id).where('wrapped', '=', row.wrapped).execute();
      }
    });
    done += page.length;
    after = last.resident_id;
    onPage(done);
  }
}

/** Takes the old masters out of the file, after making sure that nothing needs them. @throws AppError `key.mismatch` */
export async function dropOldMasters(db: Kysely<Tables>, keyring: Keyring, path: string): Promise<Keyring> {
  await wrapAnew(db, keyring);
  const left = await countOldKeys(db, keyring);
  if (left > 0) throw new AppError('key.mismatch', `${left} resident keys are still wrapped by an old master; run drop-old again, and if they stay restart every process`);
  return keyring.dropOld(path);
}

export interface KeyCheck {
  readonly opened: number;
  readonly broken: number;
  readonly byMaster: Readonly<Record<string, number>>;
}

/** Opens every resident key, keeps none. `onBroken` hears of each that does not open. */
export async function checkKeys(db: Kysely<Tables>, keyring: Keyring, onBroken: (residentId: string, why: string) => void): Promise<KeyCheck> {
  const byMaster: Record<string, number> = {};
  let [opened, broken, after] = [0, 0, ''];
  for (;;) {
    const page: readonly KeyRow[] = await db.selectFrom('resident_keys').selectAll().where('resident_id', '>', after).orderBy('resident_id').limit(PAGE).execute();
    for (const row of page) {
      byMaster[row.master_id] = (byMaster[row.master_id] ?? 0) + 1;
      try {
        keyring.unwrap(row.resident_id, row.wrapped, row.master_id);
        opened += 1;
      } catch (error) {
        if (!isAppError(error)) throw error;
        broken += 1;
        onBroken(row.resident_id, error.message);
      }
    }
    const last = page.at(-1);
    if (!last) return { opened, broken, byMaster };
    after = last.resident_id;
  }
}
